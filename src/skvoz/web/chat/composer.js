/** Where one writes. Enter sends, Shift and Enter begin a new line; on a touch screen Enter begins a new line. */

import { html, nothing } from "../vendor/lit.js";
import { tell } from "../core/announce.js";
import { icons } from "../core/icons.js";
import { Part } from "../core/part.js";
import { composerTools, composerTop } from "../core/places.js";
import { explain, language, say } from "../core/texts.js";
import { wish } from "../core/connection.js";
import { answerNothing, answering, editMessage } from "../state/answering.js";
import { chats } from "../state/chats.js";
import { contacts } from "../state/contacts.js";
import { openConversation } from "../state/conversation.js";
import { lookNow } from "../state/home.js";
import { allThere, attachedTo, attachments, putBack, takeAttached, takeUp, toSend } from "../attachments/attached.js";
import { begunElsewhere, keepAllDrafts, keepDraft } from "./draft.js";
import { isWords } from "./words.js";
import { MentionSuggestions, mentionsIn } from "./mentioning.js";

/** @typedef {import("../types/api.js").ChatView} ChatView */

const LENGTH_MAX = 4096;
const WARN_BELOW = 200;

export class Composer extends Part {
  static properties = { chat: { attribute: false }, left: { state: true }, empty: { state: true } };

  constructor() {
    super();
    /** @type {ChatView | null} */
    this.chat = null;
    this.left = LENGTH_MAX;
    this.empty = true;
    /** @private */
    this.suggestions = new MentionSuggestions(this);
    this.watch(language, answering, contacts, attachments);
    answering.watch(() => this.answer());
    begunElsewhere.watch(() => this.goOn());
  }

  /** @returns {HTMLTextAreaElement} */
  get field() {
    return /** @type {HTMLTextAreaElement} */ (this.querySelector("textarea"));
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  updated(changed) {
    const before = /** @type {ChatView | null | undefined} */ (changed.get("chat"));
    if (changed.has("chat") && before?.chat_id !== this.chat?.chat_id) this.begin();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    keepAllDrafts();
  }

  /** @private A chat was opened: what was begun there stands in the field. */
  begin() {
    const { chat } = this;
    if (!chat) return;
    answerNothing();
    this.put(chat.draft);
    void this.suggestions.open(chat);
    void takeUp(chat.chat_id);
    // On a touch screen the keyboard would cover the chat that one came to read.
    if (matchMedia("(pointer: fine)").matches) this.field.focus();
  }

  /** @private What the field is about has changed. */
  answer() {
    const about = answering.value;
    if (!this.isConnected || about?.chatId !== this.chat?.chat_id) return;
    if (about?.kind === "edit") {
      this.suggestions.know(about.message);
      this.put(about.message.text);
    }
    if (about) this.field.focus();
  }

  /** @private Another tab of this home writes in the same chat. */
  goOn() {
    const begun = begunElsewhere.value;
    if (!this.isConnected || begun?.chat_id !== this.chat?.chat_id || answering.value?.kind === "edit") return;
    this.put(begun?.text ?? "");
  }

  /** Put a text in the field. @param {string} text */
  put(text) {
    this.field.value = text;
    this.measure();
  }

  render() {
    const { chat } = this;
    if (!chat) return nothing;
    return html`
      ${composerTop.all.map(({ draw }) => draw(chat))}
      ${this.suggestions.draw()}
      <form class="composer" @submit=${this.submit}>
        ${composerTools.all.map(({ draw }) => draw(chat))}
        <textarea rows="1" dir="auto" enterkeyhint="enter" aria-label=${say("Message")} placeholder=${say("Message")}
          @keydown=${this.key} @input=${this.typed}></textarea>
        ${this.left < WARN_BELOW ? html`<span class="left ${this.left < 0 ? "over" : ""}">${this.left}</span>` : nothing}
        <button class="icon-button send" aria-label=${say("Send")} title=${say("Send")} ?disabled=${!this.sendable}>${icons.send}</button>
      </form>
    `;
  }

  /** @private */
  get sendable() {
    const id = this.chat?.chat_id ?? "";
    const isFull = attachedTo(id).length && answering.value?.kind !== "edit" ? allThere(id) : !this.empty;
    return isFull && this.left >= 0;
  }

  /** @private */
  typed() {
    this.measure();
    this.suggestions.look();
    const about = answering.value;
    // What replaces a message that is there already is no draft of a new one.
    if (!this.chat || about?.kind === "edit") return;
    keepDraft(this.chat, this.field.value, about?.quoted.message_id ?? null);
  }

  /** @private */
  measure() {
    const { field } = this;
    this.left = LENGTH_MAX - [...field.value].length;
    this.empty = !field.value.trim();
    if (CSS.supports("field-sizing", "content")) return;
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  }

  /** @private @param {KeyboardEvent} event */
  key(event) {
    if (this.suggestions.key(event)) return;
    if (event.key === "Escape" && answering.value) {
      event.preventDefault();
      if (answering.value.kind === "edit") this.put("");
      answerNothing();
      return;
    }
    if (event.key === "ArrowUp" && !this.field.value && !answering.value) {
      if (this.editLast()) event.preventDefault();
      return;
    }
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    if (matchMedia("(pointer: coarse)").matches && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    void this.send();
  }

  /** @private The newest message of one's own is changed; false where there is none. */
  editLast() {
    if (!this.chat) return false;
    const { messages } = openConversation(this.chat.chat_id);
    const last = messages.findLast((message) => message.own && isWords(message) && message.text && message.state !== "failed");
    if (last) editMessage(last);
    return last !== undefined;
  }

  /** @private @param {SubmitEvent} event */
  submit(event) {
    event.preventDefault();
    void this.send();
    this.field.focus();
  }

  /** @private */
  async send() {
    const { chat } = this;
    const text = this.field.value.trim();
    if (chat && !allThere(chat.chat_id)) tell(say("The files are not ready yet."));
    if (this.left < 0) tell(say("A message has 4,096 characters at most: this one stays here until it is shorter."));
    if (!chat || !this.sendable) return;
    const about = answering.value;
    const files = about?.kind === "edit" ? [] : takeAttached(chat.chat_id);
    const mentions = mentionsIn(text, this.suggestions.named);
    this.put("");
    this.suggestions.close();
    answerNothing();
    keepDraft(chat, "", null);
    if (about?.kind !== "edit") this.dispatchEvent(new CustomEvent("wrote", { bubbles: true }));
    try {
      if (about?.kind === "edit") {
        if (text !== about.message.text) await wish("message.edit", { message_id: about.message.message_id, text, mentions });
      } else {
        await openConversation(chat.chat_id).send({ text, mentions, reply_to: about?.quoted.message_id ?? null, files: await toSend(files) });
      }
      void lookNow();
    } catch (error) {
      tell(explain(error));
      // Nothing that was written is lost.
      putBack(chat.chat_id, files);
      this.giveBack(chat, text, about);
    }
  }

  /**
   * @private What was refused goes before whatever was begun since, in its own chat.
   * @param {ChatView} chat @param {string} text @param {import("../state/answering.js").Answering | null} about
   */
  giveBack(chat, text, about) {
    const isHere = this.isConnected && this.chat?.chat_id === chat.chat_id;
    if (about?.kind === "edit") {
      if (!isHere || this.field.value) return;
      editMessage(about.message);
      return this.put(text);
    }
    const begun = isHere ? this.field.value : chats.value.get(chat.chat_id)?.draft;
    const words = [text, begun].filter(Boolean).join("\n");
    if (isHere) this.put(words);
    keepDraft(chat, words, about?.quoted.message_id ?? null);
  }
}

customElements.define("skvoz-composer", Composer);

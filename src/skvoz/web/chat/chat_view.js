/** An open chat: who it is with, its messages, and where one writes. */

import { html, nothing, repeat } from "../vendor/lit.js";
import { wish } from "../core/connection.js";
import { icons } from "../core/icons.js";
import { Part } from "../core/part.js";
import { avatar, chatName } from "../core/people.js";
import { chatMenu, chatTop, screens } from "../core/places.js";
import { menuButton } from "../core/popup.js";
import { back, go } from "../core/router.js";
import { clock, count, dayName, dayOf, language, say } from "../core/texts.js";
import { chats, chatsLoaded, refreshChat } from "../state/chats.js";
import { contacts } from "../state/contacts.js";
import { openConversation } from "../state/conversation.js";
import { sought } from "../state/sought.js";
import { bubble } from "./bubble.js";
import { noticeWords, together as runsOf } from "./notices.js";
import { requestCard } from "./request.js";
import { Scroller } from "./scroller.js";
import { tick } from "./ticks.js";
import "./composer.js";

/** @typedef {import("../types/api.js").ChatView} ChatView */
/** @typedef {import("../types/api.js").MessageView} MessageView */
/** @typedef {import("../types/api.js").NoticeView} NoticeView */
/** @typedef {import("../state/conversation.js").Conversation} Conversation */
/** @typedef {{ key: string, draw: () => unknown }} Line */

const WRITABLE = ["creating", "active"];
const APART_MS = 5 * 60_000;

class ChatScreen extends Part {
  static properties = { chatId: {}, at: { type: Number }, route: { attribute: false } };

  constructor() {
    super();
    this.chatId = "";
    /** @type {number | undefined} the message to show, by its sequence */
    this.at = undefined;
    /** @type {unknown} another one means another jump, be it to the same message */
    this.route = null;
    /** @type {Conversation | null} */
    this.conversation = null;
    /** @private Where the unread ones began when the chat was opened. */
    this.readUpTo = 0;
    /** @private */
    this.scroller = new Scroller(this, {
      older: () => this.conversation?.older(),
      later: () => this.conversation?.later(),
      atEnd: () => this.seen(),
    });
    /** @private */
    this.ended = () => {};
    this.watch(chats, chatsLoaded, contacts, language, sought);
  }

  connectedCallback() {
    super.connectedCallback();
    document.addEventListener("visibilitychange", this.lookedAt);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.lookedAt);
    this.ended();
    this.chatId = "";
  }

  /** @private */
  lookedAt = () => this.seen();

  /** @param {Map<PropertyKey, unknown>} changed */
  willUpdate(changed) {
    if (changed.has("chatId") && this.chatId) this.openChat();
    else if (changed.has("route") && this.at !== undefined) void this.jump(this.at);
    this.scroller.beforeDrawing();
  }

  updated() {
    this.scroller.afterDrawing();
  }

  /** @private */
  openChat() {
    this.ended();
    const chat = chats.value.get(this.chatId);
    this.readUpTo = chat?.unread ? chat.read_sequence : Number.POSITIVE_INFINITY;
    if (!chat) refreshChat(this.chatId);
    // What one has not read comes first; with nothing new, the end.
    const around = this.at ?? (chat?.unread ? chat.read_sequence : null);
    this.conversation = openConversation(this.chatId, around);
    this.ended = this.conversation.changed.watch(() => this.requestUpdate());
    this.scroller.begin(this.at === undefined ? "unread" : `m${this.at}`);
  }

  /** @private @param {number} sequence */
  async jump(sequence) {
    const { conversation } = this;
    if (!conversation?.loaded) return;
    if (!conversation.messages.some((message) => message.sequence === sequence)) await conversation.load(sequence);
    this.scroller.begin(`m${sequence}`);
    this.requestUpdate();
  }

  render() {
    const chat = chats.value.get(this.chatId);
    if (!chat && chatsLoaded.value) return gone();
    if (!chat || !this.conversation) return html`<main class="pane" aria-busy="true"></main>`;
    const name = chatName(chat);
    return html`
      <main class="pane" aria-label=${name}>
        ${this.header(chat, name)}
        ${chatTop.all.map(({ draw }) => draw(chat))}
        <div class="scroll" tabindex="0" role="region" aria-label=${say("Messages")} @scroll=${this.scroller.scrolled}>
          <div role="log" aria-label=${say("Messages with {name}", { name })} aria-busy=${!this.conversation.loaded}>
            <ol class="messages" @keydown=${walk}>
              ${repeat(this.lines(chat, this.conversation), (line) => line.key, (line) => line.draw())}
            </ol>
          </div>
        </div>
        <button class="to-end" hidden @click=${this.toEnd}>${icons.down}<span class="only-read">${say("To the latest")}</span></button>
        ${this.foot(chat)}
      </main>
    `;
  }

  /** @private @param {ChatView} chat @param {string} name */
  header(chat, name) {
    return html`
      <h1 class="only-read" dir="auto">${name}</h1>
      <header class="bar">
        <button class="icon-button back only-narrow" aria-label=${say("Back to the chats")} @click=${back}>${icons.back}</button>
        <button class="self" @click=${() => go({ screen: "chat-about", id: chat.chat_id })}>
          ${avatar(chat.chat_id, name, "small")}
          <span class="only-read">${say("About this chat")}:</span>
          <span class="name">
            <b dir="auto">${name}${contacts.value.get(chat.chat_id)?.verified ? html`<span class="compared" role="img" aria-label=${say("Compared")} title=${say("Compared")}>${icons.verified}</span>` : nothing}</b>
            <small>${standing(chat, this.conversation?.people)}</small>
          </span>
        </button>
        ${menuButton(say("More"), icons.more, () =>
          chatMenu.all
            .filter(({ applies }) => applies(chat))
            .map((entry) => ({ ...entry, label: () => entry.label(chat), act: () => entry.act(chat) })),
        )}
      </header>
    `;
  }

  /** @private @param {ChatView} chat */
  foot(chat) {
    if (chat.is_request) return requestCard(chat);
    if (contacts.value.get(chat.chat_id)?.state === "blocked") return html`<p class="foot-note">${say("You have blocked this person.")}</p>`;
    if (!WRITABLE.includes(chat.state)) return html`<p class="foot-note">${standing(chat)}</p>`;
    return html`<skvoz-composer .chat=${chat} @wrote=${this.toEnd}></skvoz-composer>`;
  }

  /**
   * @private
   * @param {ChatView} chat
   * @param {Conversation} conversation
   * @returns {Line[]}
   */
  lines(chat, conversation) {
    /** @type {Line[]} */
    const lines = [];
    const { messages } = conversation;
    if (conversation.loaded && !messages.length && !conversation.unsent.length) {
      lines.push({ key: "empty", draw: () => html`<li class="aside"><span>${opening(chat)}</span></li>` });
    }
    const changes = [...conversation.around];
    let day = Number.NaN;
    /** Begin a new day where there is one. @param {number} ms @param {number} sequence */
    const dated = (ms, sequence) => {
      if (dayOf(ms) === day) return false;
      day = dayOf(ms);
      return lines.push(dayLine(ms, sequence)) > 0;
    };
    /** Say what changed before a message. @param {number} until its sequence */
    const tell = (until) => {
      const due = changes.filter((change) => change.sequence < until);
      changes.splice(0, due.length);
      for (const run of runsOf(due)) {
        const { noticed_ms, sequence } = /** @type {NoticeView} */ (run[0]);
        dated(noticed_ms, sequence);
        lines.push({ key: `change ${sequence}`, draw: () => html`<li class="aside"><span dir="auto">${noticeWords(run)}</span></li>` });
      }
      return due.length > 0;
    };
    let divided = false;
    messages.forEach((message, index) => {
      const previous = messages[index - 1];
      const isApart = tell(message.sequence);
      const isNewDay = dated(message.sent_ms, message.sequence);
      const isFirstUnread = !divided && !message.own && message.sequence > this.readUpTo;
      if (isFirstUnread) {
        divided = true;
        lines.push({ key: "unread", draw: () => html`<li class="aside unread" id="unread"><span>${say("New messages")}</span></li>` });
      }
      const follows = !isNewDay && !isFirstUnread && !isApart && together(previous, message);
      const next = messages[index + 1];
      const isLast = !next || !together(message, next) || (changes[0]?.sequence ?? next.sequence) < next.sequence;
      lines.push({
        key: message.message_id,
        draw: () => html`<li id="m${message.sequence}">${bubble(message, chat, { follows, isLast, isNewest: !next })}</li>`,
      });
    });
    tell(Number.POSITIVE_INFINITY);
    if (chat.gaps && conversation.after === null) {
      lines.push({
        key: "gaps",
        draw: () => html`<li class="aside warn"><span>${count("{number} message may be missing", "{number} messages may be missing", chat.gaps)}</span></li>`,
      });
    }
    for (const unsent of conversation.unsent) {
      lines.push({
        key: unsent.key,
        draw: () => html`
          <li>
            <article class="bubble own last">
              <div class="words"><p dir="auto">${unsent.text}</p></div>
              <footer class="about"><time>${clock(unsent.sent_ms)}</time>${tick({ state: "queued" })}</footer>
            </article>
          </li>
        `,
      });
    }
    return lines;
  }

  /** @private */
  toEnd = async () => {
    if (this.conversation?.after !== null) await this.conversation?.load();
    this.scroller.begin("end");
    this.requestUpdate();
  };

  /** @private Whoever looks at the end of a chat has read it. */
  seen() {
    const { conversation } = this;
    const chat = chats.value.get(this.chatId);
    if (!conversation?.loaded || conversation.after !== null || !chat?.unread) return;
    if (chat.is_request || document.visibilityState === "hidden" || !this.scroller.isAtEnd) return;
    const last = conversation.messages.findLast((message) => !message.own);
    if (!last || last.sequence <= chat.read_sequence) return;
    void wish("chat.read", { chat_id: chat.chat_id, message_id: last.message_id });
  }
}

/** @param {ChatView} chat @param {number} [people] */
function standing(chat, people) {
  switch (chat.state) {
    case "creating":
      return say("Being set up. You can write already.");
    case "left":
      return say("You left.");
    case "removed":
      return say("You were removed.");
    case "leaving":
      return say("You are leaving.");
    case "lost":
      return say("Out of step; finding the way back.");
    case "gone":
      return say("The relay no longer has this conversation. It is asked now and then; you can leave.");
    case "frozen":
      return say("Stopped: something else writes as this device.");
    default:
      if (chat.alone) return say("The relay lost the thread, and perhaps you are alone here now. If nobody answers, meet by a new link.");
      if (chat.muted) return say("Muted");
      return chat.kind === "group" && people ? count("{number} member", "{number} members", people) : nothing;
  }
}

/**
 * Arrow keys go from message to message, each by the button of its menu; the Tab key stops at the newest only.
 *
 * @param {KeyboardEvent} event
 */
function walk(event) {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const from = /** @type {Element} */ (event.target);
  if (!step || !from.matches(".bubble-menu")) return;
  const all = [...(from.closest(".messages")?.querySelectorAll(".bubble-menu") ?? [])];
  const next = all[all.indexOf(from) + step];
  if (next instanceof HTMLElement) {
    event.preventDefault();
    next.focus();
  }
}

function gone() {
  return html`
    <main class="pane">
      <p class="foot-note">
        ${say("This chat is not here any more.")}
        <button class="link-button only-narrow" @click=${back}>${say("Back to the chats")}</button>
      </p>
    </main>
  `;
}

/** @param {ChatView} chat */
function opening(chat) {
  if (chat.is_request) return say("Their words are fetched once you accept.");
  return say("Only the people in this chat can read it.");
}

/** @param {number} ms @param {number} sequence of what is the first of this day @returns {Line} */
function dayLine(ms, sequence) {
  return { key: `day ${sequence}`, draw: () => html`<li class="aside day"><span>${dayName(ms)}</span></li>` };
}

/** @param {MessageView | undefined} one @param {MessageView} other */
function together(one, other) {
  return one !== undefined && one.author === other.author && other.sent_ms - one.sent_ms < APART_MS;
}

customElements.define("skvoz-chat", ChatScreen);
screens.set("chat", (route) => html`<skvoz-chat .chatId=${route.id ?? ""} .at=${route.at} .route=${route}></skvoz-chat>`);

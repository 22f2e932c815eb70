/** What waits for the admins of a group: a card above the list of chats, and a section of the group's page. */

import { html, nothing } from "../vendor/lit.js";
import { attempt } from "../core/attempt.js";
import { call, on, wish } from "../core/connection.js";
import { Part } from "../core/part.js";
import { called, chatName } from "../core/people.js";
import { cards, chatSections } from "../core/places.js";
import { go } from "../core/router.js";
import { Signal } from "../core/signal.js";
import { count, language, say } from "../core/texts.js";
import { chats } from "../state/chats.js";
import { askToRemove } from "./groups.js";
import { reasonWord } from "./reporting.js";

/** @typedef {import("../types/api.js").ChatView} ChatView */
/** @typedef {import("../types/api.js").AttentionView} AttentionView */
/** @typedef {import("../types/api.js").ReportedView} ReportedView */

/** @type {Signal<readonly AttentionView[] | null>} null before it was asked for */
const waiting = new Signal(/** @type {readonly AttentionView[] | null} */ (null));

async function look() {
  waiting.value = (await call("group.attention", {})).groups;
  chats.touch();
}

/** Ask once the list is drawn, and whenever something happened. */
function watch() {
  waiting.value = [];
  on("group.attention", () => void attempt(look));
  on("chat.changed", ({ what }) => {
    if (what === "admin" || what === "not_admin") void attempt(look);
  });
  void attempt(look);
}

cards.add({
  order: 5,
  draw: () => {
    if (!waiting.value) queueMicrotask(watch);
    return waiting.value?.map(card);
  },
});

/** @param {AttentionView} group */
function card({ chat_id: id, complaints, askers }) {
  const chat = chats.value.get(id);
  if (!chat) return nothing;
  const name = chatName(chat);
  return html`
    <aside class="card" aria-label=${say("Something waits in “{name}”", { name })}>
      <p dir="auto"><b>${name}</b></p>
      ${askers ? html`<p class="quiet">${count("{number} person wants to join.", "{number} people want to join.", askers)}</p>` : nothing}
      ${complaints ? html`<p class="quiet">${count("{number} message was reported to you.", "{number} messages were reported to you.", complaints)}</p>` : nothing}
      <button class="button" @click=${() => go({ screen: "chat-about", id })}>${say("Look")}</button>
    </aside>
  `;
}

class Reported extends Part {
  static properties = { chat: { attribute: false }, messages: { state: true } };

  constructor() {
    super();
    /** @type {ChatView | null} */
    this.chat = null;
    /** @type {readonly ReportedView[]} */
    this.messages = [];
    this.watch(language);
    this.hear("group.attention", () => void this.load());
    this.hear("chat.changed", () => void this.load());
    this.hear("message.changed", () => void this.load());
  }

  firstUpdated() {
    void this.load();
  }

  /** @private */
  async load() {
    if (this.chat) this.messages = (await call("group.reported", { chat_id: this.chat.chat_id })).messages;
  }

  render() {
    const { chat, messages } = this;
    if (!chat || !messages.length) return nothing;
    return html`
      <h2>${say("Reported to you")}</h2>
      <ul class="reported">${messages.map((message) => this.row(chat.chat_id, message))}</ul>
      <p class="quiet">${say("Other admins have lists of their own.")}</p>
    `;
  }

  /** @private @param {string} chat_id @param {ReportedView} message */
  row(chat_id, message) {
    const { message_id, sequence, author: member, author_member, complaints, deleted } = message;
    const author = called(message.author_name);
    const dismiss = () => wish("group.dismiss", { chat_id, message_id });
    const remove = async () => {
      await wish("message.delete", { message_id });
      await dismiss();
    };
    const known = sequence !== null;
    return html`
      <li>
        <p dir="auto"><b>${author}</b></p>
        <blockquote dir="auto">${deleted ? say("Deleted") : message.text || (!known && complaints[0]?.quote) || "…"}</blockquote>
        ${complaints.map(
          ({ name, reason, note, member: here }) => html`
            <p class="quiet" dir="auto">
              ${say("{name}: {reason}", { name: called(name), reason: reasonWord(reason) })}${note ? html` — ${note}` : nothing}${here ? nothing : html` (${say("not in the group")})`}
            </p>
          `,
        )}
        ${known ? nothing : html`<p class="quiet">${say("The message is not here: its words are as they say.")}</p>`}
        <div class="row">
          ${known && !deleted ? html`<button class="button danger" @click=${() => attempt(remove)}>${say("Delete for everybody")}</button>` : nothing}
          ${author_member ? html`<button class="button danger" @click=${() => askToRemove(chat_id, member, author)}>${say("Remove {name}", { name: author })}</button>` : nothing}
          <button class="button" @click=${() => attempt(dismiss)}>${say("Dismiss")}</button>
        </div>
      </li>
    `;
  }
}

customElements.define("skvoz-reported", Reported);
chatSections.add({
  order: 5,
  draw: (chat) =>
    chat.kind === "group" ? html`<skvoz-reported .chat=${chat}></skvoz-reported>` : nothing,
});

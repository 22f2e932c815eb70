/** A link into a group, on the group's page: made and revoked by its admins, who let in whoever asks by it. */

import { html, nothing } from "../vendor/lit.js";
import { attempt, copyText } from "../core/attempt.js";
import { call, wish } from "../core/connection.js";
import { ask } from "../core/dialog.js";
import { icons } from "../core/icons.js";
import { Part } from "../core/part.js";
import { avatar, called } from "../core/people.js";
import { chatSections } from "../core/places.js";
import { language, say, shortTime } from "../core/texts.js";

/** @typedef {import("../types/api.js").ChatView} ChatView */
/** @typedef {import("../types/api.js").AskerView} AskerView */
/** @typedef {import("../types/api.js").GroupLinkView} GroupLinkView */

class GroupLink extends Part {
  static properties = { chat: { attribute: false }, piece: {}, found: { state: true }, admin: { state: true } };

  constructor() {
    super();
    /** @type {ChatView | null} */
    this.chat = null;
    /** Which part to draw: `askers` or `link`. */
    this.piece = "link";
    /** @type {GroupLinkView | null} */
    this.found = null;
    this.admin = false;
    /** @private @type {Set<string>} those who were let in or declined, and are still on the list */
    this.settled = new Set();
    this.watch(language);
    this.hear("group.attention", ({ chat_id }) => this.about(chat_id));
    this.hear("chat.changed", ({ chat_id }) => this.about(chat_id));
  }

  firstUpdated() {
    void this.load();
  }

  /** @private @param {string} chatId */
  about(chatId) {
    if (chatId === this.chat?.chat_id) void this.load();
  }

  /** @private */
  async load() {
    if (!this.chat) return;
    const { chat_id } = this.chat;
    const { members } = await call("chat.members", { chat_id });
    this.admin = members.some((member) => member.own && member.admin);
    this.found = await call("group.link", { chat_id });
    const asking = this.found.askers.map(({ account_id }) => account_id);
    this.settled = new Set(asking.filter((id) => this.settled.has(id)));
  }

  /** @private A second click settles nothing more. @param {"group.approve" | "group.decline"} method @param {string} account_id */
  settle(method, account_id) {
    const { chat, settled } = this;
    if (!chat || settled.has(account_id)) return;
    settled.add(account_id);
    void attempt(async () => {
      try {
        await wish(method, { chat_id: chat.chat_id, account_id });
      } catch (error) {
        settled.delete(account_id);
        throw error;
      }
    });
  }

  render() {
    const { chat, found } = this;
    if (!chat || !found || !this.admin || chat.state !== "active") return nothing;
    return this.piece === "askers" ? this.askers(found.askers) : this.link(chat.chat_id, found);
  }

  /** @private @param {readonly AskerView[]} askers */
  askers(askers) {
    if (!askers.length) return nothing;
    return html`
      <h2>${say("Want to join")}</h2>
      <ul class="people wraps">
        ${askers.map(({ account_id, name, asked_ms }) => {
          const shown = called(name);
          return html`
            <li>
              ${avatar(account_id, shown, "small")}
              <span class="name" dir="auto">${shown}<small class="quiet">${shortTime(asked_ms)}</small></span>
              <span class="row" role="group" aria-label=${shown}>
                <button class="button" @click=${() => this.settle("group.approve", account_id)}>${say("Let in")}</button>
                <button class="button" @click=${() => this.settle("group.decline", account_id)}>${say("Decline")}</button>
              </span>
            </li>
          `;
        })}
      </ul>
      <p class="quiet">${say("The names are their own claims. Who is declined is not told, and not heard for a month.")}</p>
    `;
  }

  /** @private @param {string} chat_id @param {GroupLinkView} found */
  link(chat_id, { link, ready }) {
    const about = say("Whoever has the link sees the group's name and size and yours, and asks to be let in. You decide; it works while your node runs now and then.");
    if (!link) {
      return html`
        <button class="button" @click=${() => attempt(() => wish("group.make_link", { chat_id }))}>${icons.plus}${say("Make a link into the group")}</button>
        <p class="quiet">${about}</p>
      `;
    }
    const copy = () => copyText(link, say("The link is copied."));
    const revoke = () =>
      ask({
        title: say("Revoke the link?"),
        text: say("It leads nowhere from then on, and who asked by it is forgotten."),
        answers: [{ label: say("Revoke"), danger: true, act: () => attempt(() => wish("group.revoke_link", { chat_id })) }],
      });
    return html`
      <h2>${say("Your link into the group")}</h2>
      <div class="row">
        <button class="button" @click=${copy}>${icons.copy}${say("Copy the link")}</button>
        <button class="button danger" @click=${revoke}>${say("Revoke")}</button>
      </div>
      <p class="quiet">${ready ? about : say("No relay answers yet. The link works once one does.")}</p>
    `;
  }
}

customElements.define("skvoz-group-link", GroupLink);
chatSections.add({
  order: 4,
  draw: (chat) => (chat.kind === "group" ? html`<skvoz-group-link .chat=${chat} piece="askers"></skvoz-group-link>` : nothing),
});
chatSections.add({
  order: 15,
  draw: (chat) => (chat.kind === "group" ? html`<section class="settings link-section"><skvoz-group-link .chat=${chat} piece="link"></skvoz-group-link></section>` : nothing),
});

/** Groups: made of contacts, renamed, added to, left; members and who of them may change the group. */

import { html, nothing } from "../vendor/lit.js";
import { attempt } from "../core/attempt.js";
import { call, wish } from "../core/connection.js";
import { ask } from "../core/dialog.js";
import { icons } from "../core/icons.js";
import { Part } from "../core/part.js";
import { avatar, called } from "../core/people.js";
import { chatSections, listMenu, screens } from "../core/places.js";
import { menuButton } from "../core/popup.js";
import { back, go, goInstead } from "../core/router.js";
import { count, explain, language, say } from "../core/texts.js";
import { chats } from "../state/chats.js";
import { expiry, expiryTold } from "./expiry.js";

/** @typedef {import("../types/api.js").ChatView} ChatView */
/** @typedef {import("../types/api.js").ContactView} ContactView */
/** @typedef {import("../types/api.js").MemberView} MemberView */

/**
 * A list of contacts to choose from, as check boxes of the name `member`.
 *
 * @param {ContactView[]} contacts
 */
function chooser(contacts) {
  return html`
    <ul class="people">
      ${contacts.map(
        (contact) => html`
          <li>
            <label class="switch grows">
              <input type="checkbox" name="member" value=${contact.account_id}>
              ${avatar(contact.account_id, contact.name, "small")}
              <span class="name" dir="auto">${called(contact.name)}</span>
            </label>
          </li>
        `,
      )}
    </ul>
  `;
}

/** @returns {Promise<ContactView[]>} people who can be invited */
async function invitable() {
  const { contacts } = await call("contact.list", {});
  return contacts.filter((contact) => contact.state === "accepted");
}

class NewGroup extends Part {
  static properties = { contacts: { state: true }, problem: { state: true }, busy: { state: true } };

  constructor() {
    super();
    /** @type {ContactView[] | null} */
    this.contacts = null;
    this.problem = "";
    this.busy = false;
    this.watch(language);
  }

  async firstUpdated() {
    void this.focusOn("input[name=title]");
    this.contacts = await invitable();
  }

  render() {
    const { contacts } = this;
    return html`
      <main class="plain">
        <form class="sheet wide" @submit=${this.make}>
          <button type="button" class="icon-button back" aria-label=${say("Back")} @click=${back}>${icons.back}</button>
          <h1>${say("New group")}</h1>
          <label class="field">
            <span>${say("Name of the group")}</span>
            <input name="title" required maxlength="128" dir="auto" autocomplete="off">
          </label>
          <fieldset>
            <legend>${say("Who is in it")}</legend>
            ${contacts?.length ? chooser(contacts) : html`<p class="quiet">${contacts ? say("You have no contacts yet. Invite somebody first; you can add people later.") : nothing}</p>`}
          </fieldset>
          ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
          <button class="main-button" ?disabled=${this.busy}>${say("Make the group")}</button>
        </form>
      </main>
    `;
  }

  /** @private @param {SubmitEvent} event */
  async make(event) {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    this.busy = true;
    this.problem = "";
    try {
      const title = String(data.get("title")).trim();
      const { chat_id } = await wish("group.create", { title, members: data.getAll("member").map(String) });
      goInstead({ screen: "chat", id: chat_id ?? "" });
    } catch (error) {
      this.problem = explain(error);
    } finally {
      this.busy = false;
    }
  }
}

customElements.define("skvoz-new-group", NewGroup);
screens.set("new-group", () => html`<skvoz-new-group></skvoz-new-group>`);
listMenu.add({ order: 20, label: () => say("New group"), act: () => go({ screen: "new-group" }) });

/** @param {string} chat_id @param {string} member @param {string} name */
export function askToRemove(chat_id, member, name) {
  ask({
    title: say("Remove {name} from the group?", { name }),
    text: say("They read nothing more of it, and keep what they have."),
    answers: [{ label: say("Remove"), danger: true, act: () => attempt(() => wish("group.remove", { chat_id, member })) }],
  });
}

/** The members of a group, and what its admins may change. */
class Members extends Part {
  static properties = { chat: { attribute: false }, members: { state: true }, candidates: { state: true } };

  constructor() {
    super();
    /** @type {ChatView | null} */
    this.chat = null;
    /** @type {MemberView[]} */
    this.members = [];
    /** @type {ContactView[] | null} whom to add, while that is being chosen */
    this.candidates = null;
    this.watch(language);
    this.hear("chat.changed", ({ chat_id }) => {
      if (chat_id === this.chat?.chat_id) void this.load();
    });
  }

  firstUpdated() {
    void this.load();
  }

  /** @private */
  async load() {
    if (this.chat) this.members = (await call("chat.members", { chat_id: this.chat.chat_id })).members;
  }

  /** @private */
  get isAdmin() {
    return this.chat?.state === "active" && this.members.some((member) => member.own && member.admin);
  }

  render() {
    const { chat, members } = this;
    if (!chat) return nothing;
    return html`
      ${this.isAdmin ? this.renaming(chat) : nothing}
      <h2>${count("{number} member", "{number} members", members.length)}</h2>
      <ul class="people">${members.map((member) => this.row(chat, member))}</ul>
      ${this.isAdmin ? this.adding(chat) : nothing}
      ${this.isAdmin ? expiry(chat) : expiryTold(chat)}
      ${chat.state === "active" ? html`<button class="button danger" @click=${() => leave(chat)}>${say("Leave the group")}</button>` : nothing}
    `;
  }

  /** @private @param {ChatView} chat */
  renaming(chat) {
    /** @param {SubmitEvent} event */
    const rename = (event) => {
      event.preventDefault();
      const title = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("title")).trim();
      void attempt(() => wish("group.rename", { chat_id: chat.chat_id, title }));
    };
    return html`
      <form class="row" @submit=${rename}>
        <label class="field grows">
          <span>${say("Name of the group")}</span>
          <input name="title" required maxlength="128" dir="auto" .value=${chat.title}>
        </label>
        <button class="button">${say("Save")}</button>
      </form>
    `;
  }

  /** @private @param {ChatView} chat @param {MemberView} member */
  row(chat, member) {
    const { account_id: id, admin, own, verified } = member;
    const name = called(member.name);
    const known = chats.value.has(id);
    const entries = [
      ...(known ? [{ label: () => say("Write to them"), act: () => go({ screen: "chat", id }) }] : []),
      ...(this.isAdmin
        ? [
            {
              label: () => (admin ? say("Make a plain member") : say("Make an admin")),
              act: () => attempt(() => wish("group.set_role", { chat_id: chat.chat_id, member: id, admin: !admin })),
            },
            {
              label: () => say("Remove from the group"),
              danger: true,
              act: () => askToRemove(chat.chat_id, id, name),
            },
          ]
        : []),
    ];
    return html`
      <li>
        ${avatar(id, name, "small")}
        <span class="name" dir="auto">${name}${own ? html` <small class="quiet">${say("you")}</small>` : nothing}</span>
        ${verified ? html`<span class="pill good">${say("compared")}</span>` : nothing}
        ${admin ? html`<span class="pill">${say("admin")}</span>` : nothing}
        ${own || !entries.length ? nothing : menuButton(say("What to do with {name}", { name }), icons.more, () => entries)}
      </li>
    `;
  }

  /** @private @param {ChatView} chat */
  adding(chat) {
    const { candidates } = this;
    if (!candidates) return html`<button class="button" @click=${this.offer}>${icons.plus}${say("Add people")}</button>`;
    /** @param {SubmitEvent} event */
    const add = (event) => {
      event.preventDefault();
      const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
      const members = data.getAll("member").map(String);
      this.candidates = null;
      if (members.length) void attempt(() => wish("group.add", { chat_id: chat.chat_id, members }));
    };
    return html`
      <form @submit=${add}>
        ${candidates.length ? chooser(candidates) : html`<p class="quiet">${say("All your contacts are in it.")}</p>`}
        <button class="button">${candidates.length ? say("Add") : say("Close")}</button>
      </form>
    `;
  }

  /** @private */
  async offer() {
    const there = new Set(this.members.map((member) => member.account_id));
    this.candidates = (await invitable()).filter((contact) => !there.has(contact.account_id));
    void this.focusOn("form:not(.row) :is(input, button)");
  }
}

/** @param {ChatView} chat */
function leave(chat) {
  ask({
    title: say("Leave “{name}”?", { name: chat.title }),
    text: say("You read nothing further. What you have stays here."),
    answers: [
      { label: say("Leave"), danger: true, act: () => attempt(() => wish("group.leave", { chat_id: chat.chat_id })) },
    ],
  });
}

customElements.define("skvoz-members", Members);
chatSections.add({
  order: 10,
  draw: (chat) =>
    chat.kind === "group" ? html`<section class="settings"><skvoz-members .chat=${chat}></skvoz-members></section>` : nothing,
});

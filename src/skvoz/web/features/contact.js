/** A person's own page: what to call them, disappearing messages, blocking; and that their key changed. */

import { html, nothing } from "../vendor/lit.js";
import { AboutPerson } from "../core/about_person.js";
import { tell } from "../core/announce.js";
import { attempt } from "../core/attempt.js";
import { call, wish } from "../core/connection.js";
import { ask } from "../core/dialog.js";
import { chatSections } from "../core/places.js";
import { language, say } from "../core/texts.js";

/** @typedef {import("../types/api.js").ChatView} ChatView */
/** @typedef {import("../types/api.js").ContactView} ContactView */

class Contact extends AboutPerson {
  static properties = { ...AboutPerson.properties, contact: { state: true }, piece: {} };

  constructor() {
    super();
    /** Which part to draw: `name` or `block`. */
    this.piece = "name";
    /** @type {ContactView | null} */
    this.contact = null;
    this.watch(language);
  }

  async load() {
    this.contact = await call("contact.get", { account_id: this.accountId });
  }

  render() {
    const { contact } = this;
    if (!contact) return nothing;
    return this.piece === "name" ? this.name(contact) : this.block(contact);
  }

  /** @private @param {ContactView} contact */
  name(contact) {
    const changed = contact.key_changed
      ? html`<p class="problem" role="alert">${say("Their key has changed. Compare the safety number before you write anything that matters.")}</p>`
      : nothing;
    return html`
      ${changed}
      <form class="row" @submit=${this.rename}>
        <label class="field grows">
          <span>${say("Your name for them")}</span>
          <input name="name" maxlength="64" dir="auto" .value=${contact.name} placeholder=${contact.card_name}>
        </label>
        <button class="button">${say("Save")}</button>
      </form>
      <p class="quiet">${say("They call themselves {name}.", { name: contact.card_name })}</p>
    `;
  }

  /** @private @param {SubmitEvent} event */
  rename(event) {
    event.preventDefault();
    const typed = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("name")).trim();
    const own_name = typed === this.contact?.card_name ? "" : typed;
    void attempt(async () => {
      await wish("contact.rename", { account_id: this.accountId, own_name });
      tell(say("Saved."));
    });
  }

  /** @private @param {ContactView} contact */
  block(contact) {
    const blocked = contact.state === "blocked";
    const doIt = () => attempt(() => wish("contact.block", { account_id: this.accountId, blocked: !blocked }));
    if (blocked) return html`<button class="button" @click=${doIt}>${say("Unblock")}</button>`;
    const sure = () =>
      ask({
        title: say("Block {name}?", { name: contact.name }),
        text: say("Nothing more of theirs is taken, and they are not told."),
        answers: [{ label: say("Block"), act: doIt, danger: true }],
      });
    return html`<button class="button danger" @click=${sure}>${say("Block")}</button>`;
  }
}

customElements.define("skvoz-contact", Contact);

chatSections.add({
  order: 10,
  draw: (chat) =>
    chat.kind === "direct"
      ? html`<section class="settings"><skvoz-contact .accountId=${chat.chat_id} .piece=${"name"}></skvoz-contact></section>`
      : nothing,
});

chatSections.add({
  order: 90,
  draw: (chat) =>
    chat.kind === "direct"
      ? html`<section class="settings"><skvoz-contact .accountId=${chat.chat_id} .piece=${"block"}></skvoz-contact></section>`
      : nothing,
});

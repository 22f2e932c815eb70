/** The safety number of a person: the same at both ends unless somebody sits between them. */

import { html, nothing } from "../vendor/lit.js";
import { AboutPerson } from "../core/about_person.js";
import { attempt } from "../core/attempt.js";
import { call, wish } from "../core/connection.js";
import { icons } from "../core/icons.js";
import { chatSections, composerTop } from "../core/places.js";
import { go, route } from "../core/router.js";
import { language, say } from "../core/texts.js";
import { contacts } from "../state/contacts.js";
import { compareByQr } from "./comparing.js";

/** A person's safety number, and whether it was compared. */
class SafetyNumber extends AboutPerson {
  static properties = { ...AboutPerson.properties, digits: { state: true }, verified: { state: true } };

  constructor() {
    super();
    this.digits = "";
    this.verified = false;
    this.watch(language);
  }

  firstUpdated() {
    if (route.value.part === "safety") void this.focusOn("#safety");
  }

  async load() {
    const found = await call("contact.safety_number", { account_id: this.accountId });
    this.digits = found.digits;
    this.verified = found.verified;
  }

  render() {
    return html`
      <section class="settings" aria-labelledby="safety">
        <h2 id="safety" tabindex="-1">${say("Safety number")}</h2>
        <p class="quiet">${say("If you both see the same number, nobody sits between you. Read it to each other over another way, or side by side.")}</p>
        <p class="digits">${this.digits.split(/\s+/u).map((group) => html`<span>${group}</span>`)}</p>
        <button class="button" @click=${() => compareByQr(this.accountId)}>${icons.scan}${say("Compare by QR code")}</button>
        ${this.verified
          ? html`
              <p class="row verified">${icons.verified}<span>${say("Compared")}</span></p>
              <button class="button" @click=${() => this.mark(false)}>${say("It is different now")}</button>
            `
          : html`<button class="main-button" @click=${() => this.mark(true)}>${say("They are the same")}</button>`}
      </section>
    `;
  }

  /** @private @param {boolean} verified */
  mark(verified) {
    return attempt(() => wish("contact.verify", { account_id: this.accountId, verified }));
  }
}

customElements.define("skvoz-safety-number", SafetyNumber);

// A key that changed is said where one writes, until the new one was compared.
composerTop.add({
  order: 5,
  draw: (chat) => {
    if (chat.kind !== "direct" || !contacts.value.get(chat.chat_id)?.key_changed) return nothing;
    return html`
      <div class="key-changed" role="alert">
        ${icons.warning}
        <span class="grows">${say("Their key has changed. Compare the safety number before you write anything that matters.")}</span>
        <button class="button" @click=${() => go({ screen: "chat-about", id: chat.chat_id, part: "safety" })}>${say("Compare")}</button>
      </div>
    `;
  },
});

chatSections.add({
  order: 30,
  draw: (chat) => (chat.kind === "direct" ? html`<skvoz-safety-number .accountId=${chat.chat_id}></skvoz-safety-number>` : nothing),
});

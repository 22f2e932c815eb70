/** The recovery phrase: shown, written down, and then forgotten here once three of its words were repeated. */

import { html, nothing } from "../vendor/lit.js";
import { tell } from "../core/announce.js";
import { call, wish } from "../core/connection.js";
import { icons } from "../core/icons.js";
import { Part } from "../core/part.js";
import { screens, settingsSections } from "../core/places.js";
import { back, go } from "../core/router.js";
import { explain, language, say } from "../core/texts.js";
import { account, loadAccount } from "../state/home.js";

const ASKED = 3;

class Phrase extends Part {
  static properties = { words: { state: true }, asked: { state: true }, problem: { state: true } };

  constructor() {
    super();
    /** @type {string[]} */
    this.words = [];
    /** @type {number[]} the places of the words to repeat; empty while they are shown */
    this.asked = [];
    this.problem = "";
    this.watch(language, account);
  }

  async firstUpdated() {
    void this.focusOn("h1");
    if (account.value?.phrase_confirmed) return;
    try {
      this.words = (await call("account.phrase", {})).phrase.split(" ");
    } catch (error) {
      this.problem = explain(error);
    }
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.words = [];
  }

  render() {
    return html`
      <main class="plain">
        <div class="sheet wide">
          <button class="icon-button back" aria-label=${say("Back")} @click=${back}>${icons.back}</button>
          <h1 tabindex="-1">${say("Recovery phrase")}</h1>
          ${account.value?.phrase_confirmed ? html`<p>${say("It is confirmed, and not on this machine any more: keep the paper safe.")}</p>` : this.step()}
          ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
        </div>
      </main>
    `;
  }

  /** @private */
  step() {
    if (this.asked.length) return this.check();
    return html`
      <p>${say("Write these words on paper, in this order. Whoever has them can be you; without them nobody can help.")}</p>
      <ol class="phrase">${this.words.map((word) => html`<li>${word}</li>`)}</ol>
      <p class="quiet">${say("This version can't restore an account from them yet; a later one will.")}</p>
      <button class="main-button" ?disabled=${!this.words.length} @click=${this.choose}>${say("I have written them down")}</button>
    `;
  }

  /** @private */
  check() {
    return html`
      <form class="facts" @submit=${this.confirm}>
        <p>${say("Repeat three of them. After that they are forgotten here.")}</p>
        ${this.asked.map(
          (place) => html`
            <label class="field">
              <span>${say("Word {number}", { number: place + 1 })}</span>
              <input name=${place} required autocomplete="off" autocapitalize="none" spellcheck="false">
            </label>
          `,
        )}
        <div class="row">
          <button class="main-button">${say("Confirm")}</button>
          <button type="button" class="button" @click=${() => (this.asked = [])}>${say("Show the words again")}</button>
        </div>
      </form>
    `;
  }

  /** @private */
  choose() {
    const places = this.words.map((_, place) => place);
    const chosen = Array.from({ length: ASKED }, () => {
      const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
      return places.splice(random % places.length, 1)[0] ?? 0;
    });
    this.asked = chosen.sort((one, other) => one - other);
    void this.focusOn("input");
  }

  /** @private @param {SubmitEvent} event */
  async confirm(event) {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const isRight = this.asked.every((place) => String(data.get(String(place))).trim().toLowerCase() === this.words[place]);
    if (!isRight) {
      this.problem = say("A word is not the right one. Look at your paper again.");
      return;
    }
    this.problem = "";
    try {
      await wish("account.confirm_phrase", { phrase: this.words.join(" ") });
      this.words = [];
      await loadAccount();
      tell(say("Confirmed."));
    } catch (error) {
      this.problem = explain(error);
    }
  }
}

customElements.define("skvoz-phrase", Phrase);
screens.set("phrase", () => html`<skvoz-phrase></skvoz-phrase>`);

settingsSections.add({
  order: 40,
  title: () => say("Recovery phrase"),
  draw: () =>
    account.value?.phrase_confirmed
      ? html`<p class="quiet">${say("It is confirmed, and not on this machine any more: keep the paper safe.")}</p>`
      : html`<button class="button" @click=${() => go({ screen: "phrase" })}>${say("Show it")}</button>`,
});

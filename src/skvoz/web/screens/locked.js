/** A locked home: nothing but a field for its passphrase. */

import { html, nothing } from "../vendor/lit.js";
import { call } from "../core/connection.js";
import { Part } from "../core/part.js";
import { explain, language, say } from "../core/texts.js";

class Locked extends Part {
  static properties = { busy: { state: true }, problem: { state: true } };

  constructor() {
    super();
    this.busy = false;
    this.problem = "";
    this.watch(language);
  }

  firstUpdated() {
    void this.focusOn("input");
  }

  render() {
    return html`
      <main class="plain">
        <form class="sheet" @submit=${this.unlock} aria-labelledby="locked-title">
          <img class="mark" src="/icon.svg" alt="">
          <h1 id="locked-title">${say("This home is locked")}</h1>
          <label class="field">
            <span>${say("Passphrase")}</span>
            <input name="passphrase" type="password" required autocomplete="current-password">
          </label>
          ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
          <button class="main-button" ?disabled=${this.busy}>${say("Unlock")}</button>
          <p class="quiet">${say("What people write to you meanwhile waits at the relay.")}</p>
        </form>
      </main>
    `;
  }

  /** @private @param {SubmitEvent} event */
  async unlock(event) {
    event.preventDefault();
    if (this.busy) return;
    const passphrase = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("passphrase"));
    this.busy = true;
    this.problem = "";
    try {
      await call("home.unlock", { passphrase });
      location.reload();
    } catch (error) {
      this.problem = explain(error);
      this.busy = false;
      await this.updateComplete;
      const field = this.querySelector("input");
      field?.focus();
      field?.select();
    }
  }
}

customElements.define("skvoz-locked", Locked);

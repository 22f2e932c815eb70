/** The first screen: a name, and a link if somebody gave one. */

import { html, nothing } from "../vendor/lit.js";
import { go } from "../core/router.js";
import { Part } from "../core/part.js";
import { explain, language, say } from "../core/texts.js";
import { status } from "../state/home.js";
import { scanButton } from "../scan/link.js";
import { beginAccount } from "../state/first_run.js";

class Welcome extends Part {
  static properties = { busy: { state: true }, problem: { state: true } };

  constructor() {
    super();
    this.busy = false;
    this.problem = "";
    this.watch(language, status);
  }

  firstUpdated() {
    void this.focusOn("input[name=name]");
  }

  render() {
    const knowsRelay = Boolean(status.value?.suggested_relay);
    return html`
      <main class="plain">
        <form class="sheet" @submit=${this.begin} aria-labelledby="welcome-title">
          <img class="mark" src="/icon.svg" alt="">
          <h1 id="welcome-title">${say("Write to people, and only to them")}</h1>
          <label class="field">
            <span>${say("Your name")}</span>
            <input name="name" required maxlength="64" autocomplete="nickname" dir="auto"
              aria-describedby="name-hint">
            <small id="name-hint">${say("Others see it. You can change it at any time.")}</small>
          </label>
          <div class="row beside">
            <label class="field grows">
              <span>${knowsRelay ? say("A link from somebody, if you have one") : say("The link that somebody gave you")}</span>
              <input name="link" autocomplete="off" spellcheck="false" placeholder="skvoz:…" ?required=${!knowsRelay}>
            </label>
            ${scanButton((link) => this.scanned(link))}
          </div>
          ${knowsRelay ? nothing : this.relayField()}
          ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
          <button class="main-button" ?disabled=${this.busy}>${say("Continue")}</button>
          <p class="quiet">
            ${say("Young and unaudited: don't trust it with anything that matters yet.")}
            <button type="button" class="link-button" @click=${() => go({ screen: "limits" })}>
              ${say("What Skvoz can't do")}
            </button>
          </p>
        </form>
      </main>
    `;
  }

  /** @private Whoever has no link needs to say where to live. */
  relayField() {
    return html`
      <details class="field" @toggle=${this.wantRelay}>
        <summary>${say("I have no link")}</summary>
        <label class="field">
          <span>${say("Address of a relay")}</span>
          <input name="relay" autocomplete="off" spellcheck="false" placeholder="wss://…#…">
          <small>${say("Whoever runs a relay gives it to you. `skvoz relay` runs one of your own.")}</small>
        </label>
      </details>
    `;
  }

  /** @private @param {ToggleEvent} event */
  wantRelay(event) {
    const link = this.querySelector("input[name=link]");
    if (link instanceof HTMLInputElement) link.required = event.newState !== "open";
  }

  /** @private Who has said their name goes on at once. @param {string} link */
  async scanned(link) {
    const [name, field] = ["name", "link"].map((one) => /** @type {HTMLInputElement} */ (this.querySelector(`input[name=${one}]`)));
    if (field) field.value = link;
    if (name?.value.trim()) this.querySelector("form")?.requestSubmit();
    else await this.focusOn("input[name=name]");
  }

  /** @private @param {SubmitEvent} event */
  async begin(event) {
    event.preventDefault();
    if (this.busy) return;
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    /** @param {string} name */
    const typed = (name) => String(data.get(name) ?? "").trim();
    this.busy = true;
    this.problem = "";
    try {
      await beginAccount({ name: typed("name"), link: typed("link"), relay: typed("relay") });
    } catch (error) {
      this.problem = explain(error);
      void this.focusOn("input[name=link]");
    } finally {
      this.busy = false;
    }
  }
}

customElements.define("skvoz-welcome", Welcome);

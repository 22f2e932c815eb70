/** Inviting somebody: a link as a picture and as text, and a place for theirs. */

import { html, nothing } from "../vendor/lit.js";
import { attempt, copyText } from "../core/attempt.js";
import { call, wish } from "../core/connection.js";
import { icons } from "../core/icons.js";
import { Part } from "../core/part.js";
import { listMenu, screens } from "../core/places.js";
import { qrPicture } from "../core/qr.js";
import { back, go } from "../core/router.js";
import { explain, language, say } from "../core/texts.js";
import { scanButton } from "../scan/link.js";
import { acceptLink, endFirstRun } from "../state/first_run.js";

class Invite extends Part {
  static properties = {
    first: { type: Boolean },
    link: { state: true },
    rows: { state: true },
    ready: { state: true },
    problem: { state: true },
  };

  constructor() {
    super();
    this.first = false;
    this.link = "";
    this.logId = "";
    /** @type {string[]} */
    this.rows = [];
    this.ready = false;
    this.problem = "";
    this.watch(language);
    this.hear("link.changed", ({ log_id, ready }) => {
      if (log_id === this.logId) this.ready = ready;
    });
    this.hear("link.used", ({ log_id, account_id }) => {
      if (log_id === this.logId && !this.first) go({ screen: "chat", id: account_id });
    });
  }

  firstUpdated() {
    void attempt(() => this.make());
    void this.focusOn("h1");
  }

  /** @private One link for each time that somebody looks; those that nobody used are used again. */
  async make() {
    const { links } = await call("link.list", {});
    const free = links.find((link) => !link.lasting && !link.used);
    const made = free ?? (await wish("link.create", {}));
    this.logId = made.log_id ?? "";
    this.link = made.link ?? "";
    this.rows = (await call("qr.draw", { text: this.link })).rows;
    this.ready = (await call("link.get", { log_id: this.logId })).ready;
  }

  render() {
    return html`
      <main class="plain">
        <div class="sheet wide">
          ${this.first ? nothing : html`<button class="icon-button back" aria-label=${say("Back")} @click=${back}>${icons.back}</button>`}
          <h1 tabindex="-1">${say("Invite somebody")}</h1>
          <div class="two">
            <section aria-label=${say("Your link")}>
              ${qrPicture(this.rows, say("Your link as a QR code"))}
              <p class="quiet">${say("For one person. Show them this picture, or send them the link over a way that you trust.")}</p>
              <div class="row">
                <button class="main-button" ?disabled=${!this.link} @click=${this.copy}>${icons.copy}${say("Copy the link")}</button>
                ${"share" in navigator ? html`<button class="button" @click=${this.share}>${icons.share}${say("Share")}</button>` : nothing}
              </div>
              <p class="quiet" role="status">
                ${!this.link || this.ready ? nothing : say("No relay answers yet. The link works once one does.")}
              </p>
            </section>
            <form @submit=${this.accept}>
              <label class="field">
                <span>${say("Or paste a link that somebody gave you")}</span>
                <input name="link" required autocomplete="off" spellcheck="false" placeholder="skvoz:…">
              </label>
              ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
              <div class="row">
                <button class="button">${say("Open it")}</button>
                ${scanButton((link) => this.open(link), true)}
              </div>
            </form>
          </div>
          ${this.first ? html`<button class="link-button" @click=${endFirstRun}>${say("Later")}</button>` : nothing}
        </div>
      </main>
    `;
  }

  /** @private */
  copy() {
    return copyText(this.link, say("The link is copied."));
  }

  /** @private */
  async share() {
    try {
      await navigator.share({ text: this.link });
    } catch {
      // They changed their mind.
    }
  }

  /** @private @param {SubmitEvent} event */
  accept(event) {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    return this.open(String(data.get("link")));
  }

  /** @private @param {string} link */
  async open(link) {
    this.problem = "";
    try {
      await acceptLink(link);
    } catch (error) {
      this.problem = explain(error);
    }
  }
}

customElements.define("skvoz-invite", Invite);
screens.set("invite", () => html`<skvoz-invite></skvoz-invite>`);
listMenu.add({ order: 10, label: () => say("Invite somebody"), act: () => go({ screen: "invite" }) });

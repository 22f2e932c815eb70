/** Links that were made: which are open, one for many people, letting one lead nowhere; and why an opened one does. */

import { html, nothing } from "../vendor/lit.js";
import { attempt, copyText } from "../core/attempt.js";
import { call, on, wish } from "../core/connection.js";
import { ask } from "../core/dialog.js";
import { Part } from "../core/part.js";
import { settingsSections } from "../core/places.js";
import { capital, language, say, shortTime } from "../core/texts.js";
import { failure } from "../chat/ticks.js";

/** @typedef {import("../types/api.js").LinkView} LinkView */

class Links extends Part {
  static properties = { links: { state: true } };

  constructor() {
    super();
    /** @type {LinkView[]} */
    this.links = [];
    this.watch(language);
    this.hear("link.used", () => void this.load());
  }

  firstUpdated() {
    void this.load();
  }

  /** @private */
  async load() {
    this.links = (await call("link.list", {})).links.filter((link) => link.lasting || !link.used);
  }

  render() {
    return html`
      ${this.links.length ? html`<ul class="people">${this.links.map((link) => this.row(link))}</ul>` : html`<p class="quiet">${say("No open links.")}</p>`}
      ${this.links.some((link) => link.lasting)
        ? nothing
        : html`
            <button class="button" @click=${this.makeLasting}>${say("Make a link for many people")}</button>
            <p class="quiet">${say("Strangers who come through it wait as requests until you accept them.")}</p>
          `}
    `;
  }

  /** @private @param {LinkView} link */
  row(link) {
    const { log_id, lasting, created_ms: created } = link;
    return html`
      <li>
        <span class="name">
          ${lasting ? say("For many people") : say("For one person")}
          <small class="quiet">${say("made {time}", { time: shortTime(created) })}</small>
        </span>
        <button class="button" @click=${() => copy(link)}>${say("Copy")}</button>
        <button class="button danger" @click=${() => this.act(() => wish("link.revoke", { log_id }))}>${say("Revoke")}</button>
      </li>
    `;
  }

  /** @private */
  makeLasting() {
    return this.act(() => wish("link.create", { lasting: true }));
  }

  /** @private @param {() => Promise<unknown>} what */
  act(what) {
    return attempt(async () => {
      await what();
      await this.load();
    });
  }
}

/** @param {LinkView} link */
function copy({ link }) {
  return copyText(link, say("The link is copied."));
}

on("link.failed", ({ reason }) => ask({ title: say("Nothing comes of this link"), text: `${capital(failure(reason))}.`, answers: [] }));

customElements.define("skvoz-links", Links);
settingsSections.add({ order: 50, title: () => say("Your links"), draw: () => html`<skvoz-links></skvoz-links>` });

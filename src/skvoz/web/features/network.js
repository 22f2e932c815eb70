/** What the network does to the ways to relays: looked at when asked for, and told in plain words. */

import { html, nothing } from "../vendor/lit.js";
import { attempt } from "../core/attempt.js";
import { call } from "../core/connection.js";
import { Part } from "../core/part.js";
import { settingsSections } from "../core/places.js";
import { language, say, sayAgain } from "../core/texts.js";

/** @typedef {import("../types/api.js").CheckupView} CheckupView */

const LOOK_MS = 500;

class Network extends Part {
  static properties = { found: { state: true } };

  constructor() {
    super();
    /** @type {CheckupView | null} */
    this.found = null;
    this.watch(language);
  }

  firstUpdated() {
    void this.follow("network.get");
  }

  /** @private @param {"network.get" | "network.check" | "network.stop"} method */
  follow(method) {
    return attempt(async () => {
      this.found = await call(method, {});
      while (this.isConnected && this.found.state === "running") {
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        this.found = await call("network.get", {});
      }
    });
  }

  render() {
    const { found } = this;
    const runs = found?.state === "running";
    return html`
      <p class="quiet">${say("Finds out in a minute what is blocked here and what works. Nobody is asked but your relays.")}</p>
      <button class="button" @click=${() => this.follow(runs ? "network.stop" : "network.check")}>${runs ? say("Stop") : say("Look at the network")}</button>
      <div role="status">
        ${runs ? say("Looking at the network: {done} of {total}", { done: found.done, total: found.total }) : nothing}
        ${found && !runs && found.state !== "none" ? this.report(found) : nothing}
      </div>
    `;
  }

  /** @private @param {CheckupView} found */
  report({ state, relays, ways, findings, steps, not_tried }) {
    if (!relays.length) return say("No relay is known here, so there was nothing to try.");
    const called = (/** @type {number} */ relay) => relays[relay - 1] ?? "";
    return html`
      ${state === "done" && !findings.length ? html`<p>${say("Nothing is blocked here, as far as could be seen.")}</p>` : nothing}
      ${findings.length ? html`<ul>${findings.map(({ relay, text, numbers }) => html`<li>${sayAgain(text, { relay: called(relay), ...numbers })}</li>`)}</ul>` : nothing}
      ${steps.length ? html`<h3>${say("What to do")}</h3><ul>${steps.map(({ text }) => html`<li>${sayAgain(text)}</li>`)}</ul>` : nothing}
      <h3>${say("Ways to your relays")}</h3>
      <ul>
        ${ways.map(({ relay, way, text, round_trip_ms, kbit_s }) => html`<li>${sayAgain(text, { relay: called(relay), way: sayAgain(way), ms: round_trip_ms ?? 0, kbit_s: kbit_s ?? 0 })}</li>`)}
      </ul>
      ${not_tried.map(({ text }) => html`<p class="quiet">${sayAgain(text)}</p>`)}
    `;
  }
}

customElements.define("skvoz-network", Network);
settingsSections.add({ order: 55, title: () => say("Connection"), draw: () => html`<skvoz-network></skvoz-network>` });

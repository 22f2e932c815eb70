/** A proxy of the person's own, in the settings: relays through it, and nothing far away around it. */

import { html, nothing } from "../vendor/lit.js";
import { tell } from "../core/announce.js";
import { call } from "../core/connection.js";
import { Part } from "../core/part.js";
import { settingsSections } from "../core/places.js";
import { explain, language, say } from "../core/texts.js";

/** @typedef {import("../types/api.js").ProxyView} ProxyView */

class Proxy extends Part {
  static properties = { found: { state: true }, problem: { state: true }, busy: { state: true } };

  constructor() {
    super();
    /** @type {ProxyView | null} */
    this.found = null;
    this.problem = "";
    this.busy = false;
    this.watch(language);
  }

  firstUpdated() {
    void this.ask(() => call("proxy.get", {}));
  }

  /** @private @param {() => Promise<ProxyView>} asking */
  async ask(asking) {
    this.busy = true;
    this.problem = "";
    try {
      this.found = await asking();
      return true;
    } catch (error) {
      this.problem = explain(error);
      return false;
    } finally {
      this.busy = false;
    }
  }

  render() {
    const { found } = this;
    if (!found && !this.problem) return nothing;
    return html`
      <p class="quiet">${say("Tor, a VPN or another program on your machine can carry what goes to your relays. Its address has to be one of a SOCKS5 proxy; Tor's is 127.0.0.1:9050. While one is set, nothing leaves the network around you but through it. It is kept in a file that only you can read, and not encrypted.")}</p>
      ${found ? html`<p>${found.address ? this.words(found) : say("There is no proxy: relays are reached directly.")}</p>` : nothing}
      <form class="facts" @submit=${this.set}>
        <label class="field"><span>${say("Address of the proxy")}</span><input name="address" required maxlength="300" autocomplete="off" spellcheck="false" placeholder="socks5://127.0.0.1:9050" .value=${found?.address ?? ""}></label>
        <label class="field"><span>${say("Name, if it wants one")}</span><input name="name" maxlength="255" autocomplete="off" .value=${found?.name ?? ""}></label>
        <label class="field"><span>${say("Password, if it wants one")}</span><input name="password" type="password" maxlength="255" autocomplete="off"></label>
        <label class="switch"><input name="direct" type="checkbox" .checked=${found?.allows_direct ?? false}><span>${say("Go without it where nothing gets through it. Whoever watches then sees you do.")}</span></label>
        ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
        <div class="row">
          <button class="button" ?disabled=${this.busy}>${say("Go through it")}</button>
          ${found?.address ? html`<button class="button" value="off" formnovalidate ?disabled=${this.busy}>${say("Go without a proxy")}</button>` : nothing}
        </div>
      </form>
    `;
  }

  /** @private @param {ProxyView} found */
  words({ address, allows_direct }) {
    return allows_direct ? say("Through {proxy}; directly where nothing gets through it.", { proxy: address }) : say("Through {proxy}; only what stays on this machine or on the network around goes past it.", { proxy: address });
  }

  /** @private @param {SubmitEvent} event */
  async set(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const is_off = /** @type {HTMLButtonElement | null} */ (event.submitter)?.value === "off";
    const [address, name, password] = ["address", "name", "password"].map((part) => String(new FormData(form).get(part) ?? ""));
    const allows_direct = new FormData(form).has("direct");
    const done = await this.ask(() => call("proxy.set", is_off ? {} : { address, name, password, allows_direct }));
    if (!done || !this.found) return;
    form.reset();
    tell(this.found.address ? this.words(this.found) : say("There is no proxy: relays are reached directly."));
  }
}

customElements.define("skvoz-proxy", Proxy);
settingsSections.add({ order: 56, title: () => say("Proxy"), draw: () => html`<skvoz-proxy></skvoz-proxy>` });

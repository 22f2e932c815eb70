/** Other homes of this machine, each another person, and this account's devices. */

import { html } from "../vendor/lit.js";
import { attempt } from "../core/attempt.js";
import { call } from "../core/connection.js";
import { Part } from "../core/part.js";
import { settingsSections } from "../core/places.js";
import { fullDay, language, say } from "../core/texts.js";
import { account } from "../state/home.js";

class Homes extends Part {
  static properties = { homes: { state: true } };

  constructor() {
    super();
    /** @type {readonly import("../types/api.js").HomeView[]} */
    this.homes = [];
    this.watch(language);
  }

  async firstUpdated() {
    // Where a command or `./dev run` has the node, there are none.
    this.homes = (await call("home.list", {}).catch(() => ({ homes: [] }))).homes;
  }

  render() {
    return html`
      <ul class="people">
        ${this.homes.map(({ name, own }) => html`
          <li>
            <span class="name" dir="auto">${name}</span>
            ${own ? html`<span class="pill">${say("This one")}</span>` : html`<button class="button" aria-label=${say("Open {name}", { name })} @click=${() => open("home.open", name)}>${say("Open")}</button>`}
          </li>
        `)}
      </ul>
      <form class="row" @submit=${add}>
        <label class="field grows">
          <span>${say("Name of another home")}</span>
          <input name="name" required maxlength="40" autocomplete="off" spellcheck="false">
        </label>
        <button class="button">${say("Make it")}</button>
      </form>
      <p class="quiet">${say("Each home is another person, with keys and contacts of its own. It opens in a new tab, and ends with this one's node.")}</p>
    `;
  }
}

/** @param {SubmitEvent} event */
function add(event) {
  event.preventDefault();
  open("home.add", String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("name")).trim());
}

/** @param {"home.open" | "home.add"} method @param {string} name */
function open(method, name) {
  // Opened while the click still counts as one, or the browser would not let it.
  const tab = window.open("about:blank");
  void attempt(async () => {
    try {
      const { address } = await call(method, { name });
      if (tab) tab.location.replace(address);
    } catch (error) {
      tab?.close();
      throw error;
    }
  });
}

customElements.define("skvoz-homes", Homes);
settingsSections.add({ order: 70, title: () => say("Other homes on this machine"), draw: () => html`<skvoz-homes></skvoz-homes>` });
settingsSections.add({
  order: 65,
  title: () => say("Devices"),
  draw: () => html`<p>${say("This device, since {day}; several devices for one account are not there yet.", { day: fullDay(account.value?.created_ms ?? 0) })}</p>`,
});

/** Messages as a file, to be carried by hand where no relay can be reached. */

import { html } from "../vendor/lit.js";
import { tell } from "../core/announce.js";
import { CallFailed, sessionToken } from "../core/connection.js";
import { Part } from "../core/part.js";
import { settingsSections } from "../core/places.js";
import { count, explain, language, say } from "../core/texts.js";

/** @param {RequestInit} request */
async function asked(request) {
  const answer = await fetch("/bundle", { ...request, headers: { authorization: `Bearer ${sessionToken()}` } }).catch(() => null);
  if (answer?.ok) return answer;
  if (!answer) throw new Error(say("Your node does not answer."));
  const refused = await answer.json().catch(() => null);
  throw refused ? new CallFailed({ message: refused.message, ...refused.data }) : new Error(say("Your node did not take it."));
}

class Bundles extends Part {
  static properties = { busy: { state: true } };

  constructor() {
    super();
    this.busy = false;
    this.watch(language);
  }

  render() {
    return html`
      <p>${say("Where no relay can be reached, what you wrote can go on a USB stick: somebody carries it to another machine with Skvoz, and back with answers.")}</p>
      <p class="quiet">${say("Whoever carries it can't read it, or see whose it is. Photos and files stay behind, and so do new members.")}</p>
      <div class="row">
        <button class="button" ?disabled=${this.busy} @click=${this.give}>${say("Save a bundle")}</button>
        <button class="button" ?disabled=${this.busy} @click=${this.choose}>${say("Take in a bundle")}</button>
        <input type="file" hidden @change=${this.take}>
      </div>
    `;
  }

  /** @private @param {() => Promise<string>} work returns what to tell */
  async during(work) {
    this.busy = true;
    try {
      tell(await work());
    } catch (error) {
      tell(explain(error));
    }
    this.busy = false;
  }

  /** @private */
  give() {
    return this.during(async () => {
      const answer = await asked({ method: "GET" });
      const address = URL.createObjectURL(await answer.blob());
      const name = Array.from(crypto.getRandomValues(new Uint8Array(6)), (one) => one.toString(16).padStart(2, "0")).join("");
      Object.assign(document.createElement("a"), { href: address, download: `${name}.bin` }).click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
      const [contents, leftOut] = ["skvoz-contents", "skvoz-left-out"].map((name) => Number(answer.headers.get(name)));
      if (leftOut) return count("The bundle is full: {number} message or change is not in it.", "The bundle is full: {number} messages and changes are not in it.", leftOut);
      return contents ? count("{number} message or change", "{number} messages and changes", contents) : say("There is nothing in it for anybody yet.");
    });
  }

  /** @private */
  choose() {
    /** @type {HTMLInputElement} */ (this.querySelector("input")).click();
  }

  /** @private @param {Event} event */
  take(event) {
    const field = /** @type {HTMLInputElement} */ (event.target);
    const file = field.files?.[0];
    field.value = "";
    if (!file) return;
    return this.during(async () => {
      const taken = await (await asked({ method: "POST", body: file })).json();
      if (!taken.new_contents && !taken.known_contents) return say("Nothing in it is for you. It can be carried on: whoever it is for can read it.");
      return count("{number} new message or change", "{number} new messages and changes", taken.new_contents);
    });
  }
}

customElements.define("skvoz-bundles", Bundles);
settingsSections.add({ order: 55, title: () => say("By hand"), draw: () => html`<skvoz-bundles></skvoz-bundles>` });

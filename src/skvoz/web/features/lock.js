/** Locking: the passphrase of this home, and when it is asked for again. */

import { html, nothing } from "../vendor/lit.js";
import { tell } from "../core/announce.js";
import { attempt } from "../core/attempt.js";
import { call, wish } from "../core/connection.js";
import { Part } from "../core/part.js";
import { settingsSections } from "../core/places.js";
import { count, explain, language, say } from "../core/texts.js";
import { account, loadAccount, lookNow, status } from "../state/home.js";

const MINUTES = [1, 5, 15, 60];
/** The node is told of input at most this often, milliseconds. */
const TELL_EVERY_MS = 15_000;
let told = 0;

/** Close the home until its passphrase is given. */
export async function lockNow() {
  await call("home.lock", {});
  // What this page still knows goes with it.
  location.reload();
}

function noteInput() {
  if (!account.value?.lock_after_minutes || Date.now() - told < TELL_EVERY_MS) return;
  told = Date.now();
  call("home.used", {}).catch(() => {});
}

for (const kind of ["pointerdown", "pointermove", "keydown", "wheel"]) {
  addEventListener(kind, noteInput, { capture: true, passive: true });
}

class Lock extends Part {
  static properties = { busy: { state: true }, problem: { state: true } };

  constructor() {
    super();
    this.busy = false;
    this.problem = "";
    this.watch(language, account, status);
  }

  render() {
    const has = status.value?.key_protection === "passphrase";
    return html`
      ${has ? this.settings() : html`<p class="quiet">${say("Without a passphrase, whoever sits at this machine as you opens this home.")}</p>`}
      ${has ? html`<details class="field"><summary>${say("Change or remove the passphrase")}</summary>${this.form(has)}</details>` : this.form(has)}
      <p class="quiet">
        ${say("Nobody can help with a forgotten passphrase. Locking protects nothing from somebody who takes this machine while it is unlocked, or has read its memory before.")}
      </p>
    `;
  }

  /** @private */
  settings() {
    const chosen = account.value?.lock_after_minutes ?? 0;
    return html`
      <button class="button" @click=${() => void attempt(lockNow)}>${say("Lock now")}</button>
      <label class="field">
        <span>${say("Lock when nobody has used the page for")}</span>
        <select @change=${setMinutes}>
          <option value="0" ?selected=${!chosen}>${say("Never")}</option>
          ${MINUTES.map((minutes) => html`<option value=${minutes} ?selected=${minutes === chosen}>${count("{number} minute", "{number} minutes", minutes)}</option>`)}
        </select>
      </label>
    `;
  }

  /** @private @param {boolean} has */
  form(has) {
    return html`
      <form class="facts" @submit=${this.protect}>
        ${has ? password("present", say("Present passphrase"), "current-password") : nothing}
        ${password("passphrase", say("New passphrase"), "new-password")}
        ${password("again", say("Once more"), "new-password")}
        ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
        <div class="row">
          <button class="button" ?disabled=${this.busy}>${has ? say("Change it") : say("Set the passphrase")}</button>
          ${has ? html`<button class="button danger" value="remove" formnovalidate ?disabled=${this.busy}>${say("Remove it")}</button>` : nothing}
        </div>
      </form>
    `;
  }

  /** @private @param {SubmitEvent} event */
  async protect(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const [present, typed, again] = ["present", "passphrase", "again"].map((name) => String(new FormData(form).get(name) ?? ""));
    const removes = /** @type {HTMLButtonElement | null} */ (event.submitter)?.value === "remove";
    if (!removes && typed !== again) {
      this.problem = say("The two are not the same.");
      return;
    }
    this.busy = true;
    this.problem = "";
    try {
      await call("home.protect", { passphrase: removes ? "" : typed ?? "", present: present ?? "" });
      form.reset();
      await lookNow();
      tell(removes ? say("The passphrase is removed.") : say("The passphrase is set."));
    } catch (error) {
      this.problem = explain(error);
    } finally {
      this.busy = false;
    }
  }
}

/** @param {string} name @param {string} label @param {"new-password" | "current-password"} autocomplete */
function password(name, label, autocomplete) {
  return html`
    <label class="field">
      <span>${label}</span>
      <input name=${name} type="password" required minlength=${name === "present" ? nothing : 8} autocomplete=${autocomplete}>
    </label>
  `;
}

/** @param {Event} event */
function setMinutes(event) {
  const minutes = Number(/** @type {HTMLSelectElement} */ (event.target).value);
  return attempt(async () => {
    await wish("account.change", { lock_after_minutes: minutes });
    await loadAccount();
    told = 0;
    noteInput();
  });
}

customElements.define("skvoz-lock", Lock);
settingsSections.add({ order: 35, title: () => say("Lock"), draw: () => html`<skvoz-lock></skvoz-lock>` });

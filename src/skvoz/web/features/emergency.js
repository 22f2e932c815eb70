/** When there is no time: the home is locked at once by a key combination, or removed for good. */

import { html } from "../vendor/lit.js";
import { attempt } from "../core/attempt.js";
import { call, line, sessionToken } from "../core/connection.js";
import { ask } from "../core/dialog.js";
import { settingsSections } from "../core/places.js";
import { endSession } from "../core/session.js";
import { say } from "../core/texts.js";
import { account, status } from "../state/home.js";
import { lockNow } from "./lock.js";

/** Nothing stays on the screen for the time that it takes; without a passphrase the page is closed. */
async function vanish() {
  if (status.value?.key_protection === "passphrase") {
    line.value = "locked";
    await lockNow().catch(() => location.reload());
  } else {
    line.value = "ended";
    await endSession(sessionToken());
  }
}

addEventListener("keydown", (event) => {
  // The place of a key, and not its letter: keyboards have other letters, and Alt changes them.
  const { ctrlKey, altKey, shiftKey, code } = event;
  if (!(ctrlKey && altKey && shiftKey && code === "KeyL") || !account.value || line.value === "locked") return;
  event.preventDefault();
  void vanish();
}, { capture: true });

function askToRemove() {
  let typed = "";
  ask({
    title: say("Remove this home?"),
    text: say("Its keys are destroyed first, so that nobody opens what a disk or a copy still holds; then all files go. It can't be undone. What others have from you stays with them, and you stay in groups until they remove you."),
    body: html`
      <label class="field">
        <span>${say("To go on, type your name: {name}", { name: account.value?.name ?? "" })}</span>
        <input autocomplete="off" dir="auto" @input=${(/** @type {InputEvent} */ event) => (typed = /** @type {HTMLInputElement} */ (event.target).value)}>
      </label>
    `,
    answers: [{ label: say("Remove for good"), act: () => void attempt(() => remove(typed)), danger: true }],
  });
}

/** @param {string} name */
async function remove(name) {
  await call("home.remove", { name });
  sessionStorage.clear();
  localStorage.clear();
  location.replace("about:blank");
}

settingsSections.add({
  order: 80,
  title: () => say("In an emergency"),
  draw: () => html`
    <p class="quiet">${say("{keys} locks at once; without a passphrase it closes this page.", { keys: "Ctrl+Alt+Shift+L" })}</p>
    <button class="button danger" @click=${askToRemove}>${say("Remove this home…")}</button>
  `,
});

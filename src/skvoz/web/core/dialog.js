/** A question that has to be answered before anything goes on: the browser's own dialog, so the focus is kept in it. */

import { html, nothing } from "../vendor/lit.js";
import { Part } from "./part.js";
import { Signal } from "./signal.js";
import { say } from "./texts.js";

/** @typedef {{ label: string, act: () => void, danger?: boolean }} Answer */
/** @typedef {{ title: string, text?: string, body?: unknown, answers: Answer[], leave?: string }} Question `leave`: what stands in place of Cancel */

/** @type {Signal<Question | null>} */
const asked = new Signal(/** @type {Question | null} */ (null));

/** @type {Element | null} what had the focus before */
let before = null;

/** @param {Question} question */
export function ask(question) {
  const { activeElement } = document;
  if (!activeElement?.closest("dialog")) before = activeElement;
  asked.value = question;
}

/** Close the dialog. */
export function closeDialog() {
  asked.value = null;
}

class Dialog extends Part {
  constructor() {
    super();
    this.watch(asked);
  }

  updated() {
    const dialog = this.querySelector("dialog");
    if (dialog && !dialog.open) dialog.showModal();
    // A browser puts the focus back where a dialog is closed, and not where it is drawn away.
    if (!dialog && document.activeElement === document.body && before instanceof HTMLElement) before.focus();
  }

  render() {
    const { value } = asked;
    if (!value) return nothing;
    return html`
      <dialog class="sheet" aria-labelledby="asked" @close=${closeDialog}>
        <h2 id="asked">${value.title}</h2>
        ${value.text ? html`<p class="quiet">${value.text}</p>` : nothing}
        ${value.body ?? nothing}
        <div class="row ends">
          <button class="button" @click=${closeDialog}>${value.leave ?? (value.answers.length ? say("Cancel") : say("Close"))}</button>
          ${value.answers.map(
            ({ label, act, danger }) => html`
              <button class="main-button ${danger ? "dangerous" : ""}" @click=${() => answer(act)}>${label}</button>
            `,
          )}
        </div>
      </dialog>
    `;
  }
}

/** @param {() => void} act */
function answer(act) {
  closeDialog();
  act();
}

customElements.define("skvoz-dialog", Dialog);

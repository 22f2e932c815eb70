/** A button with a menu: arrow keys, Escape, and back to the button where it was opened from. */

import { html, nothing } from "../vendor/lit.js";
import { Part } from "../core/part.js";

/** @typedef {{ label: () => string, act: () => void, icon?: unknown, danger?: boolean }} Entry */

class Menu extends Part {
  static properties = {
    label: {},
    icon: { attribute: false },
    entries: { attribute: false },
    open: { state: true },
  };

  constructor() {
    super();
    this.label = "";
    /** @type {unknown} */
    this.icon = nothing;
    /** @type {Entry[]} */
    this.entries = [];
    this.open = false;
    /** @private */
    this.away = (/** @type {Event} */ event) => {
      if (!this.contains(/** @type {Node} */ (event.target))) this.open = false;
    };
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  updated(changed) {
    if (!changed.has("open")) return;
    if (this.open) {
      document.addEventListener("pointerdown", this.away);
      const first = this.querySelector("[role=menuitem]");
      if (first instanceof HTMLElement) first.focus();
    } else {
      document.removeEventListener("pointerdown", this.away);
    }
  }

  render() {
    return html`
      <button class="icon-button" aria-label=${this.label} title=${this.label} aria-haspopup="menu"
        aria-expanded=${this.open} @click=${() => (this.open = !this.open)}>${this.icon}</button>
      ${this.open
        ? html`<div class="menu" role="menu" aria-label=${this.label} @keydown=${this.key}>
            ${this.entries.map(
              (entry) => html`
                <button role="menuitem" tabindex="-1" class=${entry.danger ? "danger" : ""} @click=${() => this.choose(entry)}>
                  ${entry.icon ?? nothing}<span>${entry.label()}</span>
                </button>
              `,
            )}
          </div>`
        : nothing}
    `;
  }

  /** @private @param {Entry} entry */
  choose(entry) {
    this.close();
    entry.act();
  }

  /** @private */
  close() {
    this.open = false;
    this.querySelector("button")?.focus();
  }

  /** @private @param {KeyboardEvent} event */
  key(event) {
    const items = [...this.querySelectorAll("[role=menuitem]")];
    const at = items.indexOf(/** @type {Element} */ (document.activeElement));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") {
      if (event.key === "Escape") event.preventDefault();
      event.stopPropagation();
      this.close();
    } else if (to !== undefined) {
      event.preventDefault();
      const next = items[to % items.length];
      if (next instanceof HTMLElement) next.focus();
    }
  }
}

customElements.define("skvoz-menu", Menu);

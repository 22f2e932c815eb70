/**
 * The one menu that is open at a time: beside the button that opened it, with arrow keys, Escape, and the focus back
 * where it was. Whatever else it shows above its entries is drawn by who opens it.
 */

import { html, nothing } from "../vendor/lit.js";
import { Part } from "./part.js";
import { Signal } from "./signal.js";

/** @typedef {{ label: () => string, act: () => void, icon?: unknown, danger?: boolean }} Entry */
/** @typedef {{ anchor: HTMLElement, label: string, entries: readonly Entry[], top?: unknown }} Shown */

const MARGIN = 8;

/** @type {Signal<Shown | null>} */
const shown = new Signal(/** @type {Shown | null} */ (null));

/** @param {Shown} what */
export function openPopup(what) {
  shown.value = shown.value?.anchor === what.anchor ? null : what;
}

/** Close the menu that is open, if any, and put the focus back. */
export function closePopup() {
  const was = shown.value;
  shown.value = null;
  was?.anchor.focus();
}

/**
 * A button that opens a menu.
 *
 * @param {string} label
 * @param {unknown} icon
 * @param {() => readonly Entry[]} entries asked for when it is opened
 * @param {{ style?: string, top?: () => unknown, isStop?: boolean }} [more] `isStop`: the Tab key stops at it
 */
export function menuButton(label, icon, entries, { style = "", top, isStop = true } = {}) {
  /** @param {Event} event */
  const open = (event) => {
    const anchor = /** @type {HTMLElement} */ (event.currentTarget);
    openPopup({ anchor, label, entries: entries(), top: top?.() });
  };
  return html`<button class="icon-button ${style}" aria-label=${label} title=${label} aria-haspopup="menu" tabindex=${isStop ? 0 : -1} @click=${open}>${icon}</button>`;
}

class Popup extends Part {
  constructor() {
    super();
    this.watch(shown);
    /** @private @param {Event} event */
    this.away = (event) => {
      const target = /** @type {Node} */ (event.target);
      if (shown.value && !this.contains(target) && !shown.value.anchor.contains(target)) shown.value = null;
    };
    /** @private */
    this.gone = () => {
      if (shown.value) closePopup();
    };
  }

  connectedCallback() {
    super.connectedCallback();
    document.addEventListener("pointerdown", this.away);
    addEventListener("resize", this.gone);
    addEventListener("popstate", this.gone);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    document.removeEventListener("pointerdown", this.away);
    removeEventListener("resize", this.gone);
    removeEventListener("popstate", this.gone);
  }

  updated() {
    const menu = this.querySelector(".menu");
    for (const button of document.querySelectorAll("[aria-expanded=true][aria-haspopup=menu]")) {
      button.removeAttribute("aria-expanded");
    }
    // A part of the page with a name while it is open, and nothing otherwise.
    this.role = shown.value ? "region" : null;
    this.ariaLabel = shown.value?.label ?? null;
    if (!shown.value || !(menu instanceof HTMLElement)) return;
    shown.value.anchor.setAttribute("aria-expanded", "true");
    place(menu, shown.value.anchor.getBoundingClientRect());
    // An entry before whatever stands above them.
    const first = menu.querySelector(".menu > [role=menuitem]") ?? menu.querySelector("[role^=menuitem]");
    if (first instanceof HTMLElement) first.focus({ preventScroll: true });
  }

  render() {
    const { value } = shown;
    if (!value) return nothing;
    return html`
      <div class="menu" role="menu" aria-label=${value.label} @keydown=${this.key}>
        ${value.top ?? nothing}
        ${value.entries.map(
          (entry) => html`
            <button role="menuitem" tabindex="-1" class=${entry.danger ? "danger" : ""} @click=${() => choose(entry)}>
              ${entry.icon ?? nothing}<span>${entry.label()}</span>
            </button>
          `,
        )}
      </div>
    `;
  }

  /** @private @param {KeyboardEvent} event */
  key(event) {
    const items = [...this.querySelectorAll("[role^=menuitem]")];
    const at = items.indexOf(/** @type {Element} */ (document.activeElement));
    const to = {
      ArrowDown: beside(items, at, 1),
      ArrowRight: at + 1,
      ArrowUp: beside(items, at, -1),
      ArrowLeft: at - 1 + items.length,
      Home: 0,
      End: items.length - 1,
    }[event.key];
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      closePopup();
    } else if (to !== undefined) {
      event.preventDefault();
      const next = items[to % items.length];
      if (next instanceof HTMLElement) next.focus();
    }
  }
}

/**
 * Find what is next above (-1) or below (1), in a list or a grid; from the last on, the other end.
 *
 * @param {Element[]} items
 * @param {number} at
 * @param {1 | -1} direction
 * @returns {number}
 */
function beside(items, at, direction) {
  const from = items[at]?.getBoundingClientRect();
  const end = direction > 0 ? 0 : items.length - 1;
  if (!from) return end;
  let [best, least] = [end, Number.POSITIVE_INFINITY];
  items.forEach((item, index) => {
    const { left, top } = item.getBoundingClientRect();
    const below = (top - from.top) * direction;
    // Rows first, and in the row what is straight above or below.
    const distance = below * innerWidth + Math.abs(left - from.left);
    if (below > 1 && distance < least) [best, least] = [index, distance];
  });
  return best;
}

/** @param {Entry} entry */
function choose(entry) {
  closePopup();
  entry.act();
}

/**
 * Put a menu beside its button, wherever there is room.
 *
 * @param {HTMLElement} menu
 * @param {DOMRect} anchor
 */
function place(menu, anchor) {
  const { width, height } = menu.getBoundingClientRect();
  const below = anchor.bottom + MARGIN / 2;
  const fits = below + height + MARGIN <= innerHeight;
  const top = fits ? below : Math.max(MARGIN, anchor.top - height - MARGIN / 2);
  const left = anchor.left + anchor.width / 2 > innerWidth / 2 ? anchor.right - width : anchor.left;
  menu.style.top = `${Math.min(top, Math.max(MARGIN, innerHeight - height - MARGIN))}px`;
  menu.style.left = `${Math.min(Math.max(MARGIN, left), innerWidth - width - MARGIN)}px`;
}

customElements.define("skvoz-popup", Popup);

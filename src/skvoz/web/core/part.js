import { LitElement } from "../vendor/lit.js";
import { on } from "./connection.js";
import { keepFocus } from "./focus.js";

/** @typedef {import("./signal.js").Signal<any>} AnySignal */

/** The base of the page's elements: light DOM, drawn again when a signal that it watches changes. */
export class Part extends LitElement {
  constructor() {
    super();
    /** @private @type {AnySignal[]} */
    this.watched = [];
    /** @private @type {(() => () => void)[]} */
    this.heard = [];
    /** @private @type {(() => void)[]} */
    this.endings = [];
  }

  /** In the light DOM labels, selection and the page's one style sheet work as usual. */
  createRenderRoot() {
    return this;
  }

  /** @param {...AnySignal} signals */
  watch(...signals) {
    this.watched.push(...signals);
  }

  /**
   * Hear of events of a kind for as long as the element is on the page.
   *
   * @template {import("./connection.js").EventKind} K
   * @param {K} kind
   * @param {(data: import("./connection.js").Events[K]) => void} listener
   */
  hear(kind, listener) {
    this.heard.push(() => on(kind, listener));
  }

  connectedCallback() {
    super.connectedCallback();
    this.endings = [
      ...this.watched.map((signal) => signal.watch(() => this.requestUpdate())),
      ...this.heard.map((begin) => begin()),
    ];
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  update(changed) {
    super.update(changed);
    keepFocus();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    for (const end of this.endings) end();
    this.endings = [];
  }

  /**
   * Put the focus on the first element that matches, once it is drawn.
   *
   * @param {string} selector
   */
  async focusOn(selector) {
    await this.updateComplete;
    const found = this.querySelector(selector);
    if (found instanceof HTMLElement) found.focus();
  }
}

/** Scanning somebody's link. */

import { html } from "../vendor/lit.js";
import { call } from "../core/connection.js";
import { closeDialog } from "../core/dialog.js";
import { icons } from "../core/icons.js";
import { say } from "../core/texts.js";
import { scan } from "./scanner.js";

/**
 * A button that scans a link and hands it on, once it is known to be whole.
 *
 * @param {(link: string) => unknown} use
 * @param {boolean} [hasWords] whether its words are on it
 */
export function scanButton(use, hasWords = false) {
  const label = say("Scan a QR code");
  /** @param {string} text */
  const take = async (text) => {
    const link = text.trim();
    if (/^skvoz-verify:/i.test(link)) return say("This code is for comparing safety numbers, and no invitation.");
    if (!/^skvoz:/i.test(link)) return say("This code is no invitation to Skvoz.");
    await call("relay.parse", { text: link });
    closeDialog();
    await use(link);
    return "";
  };
  if (hasWords) return html`<button type="button" class="button" @click=${() => scan(label, take)}>${icons.scan}${label}</button>`;
  return html`<button type="button" class="icon-button" aria-label=${label} title=${label} @click=${() => scan(label, take)}>${icons.scan}</button>`;
}

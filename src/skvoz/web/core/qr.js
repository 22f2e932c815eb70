/** QR codes as pictures; the node draws them. */

import { html, svg } from "../vendor/lit.js";

const QUIET_ZONE = 4;

/** @param {readonly string[]} rows of `qr.draw` @param {string} label */
export function qrPicture(rows, label) {
  const size = rows.length + 2 * QUIET_ZONE;
  // One path of unit squares; crisp at any size.
  const path = rows
    .flatMap((row, y) => [...row].map((cell, x) => (cell === "1" ? `M${x + QUIET_ZONE} ${y + QUIET_ZONE}h1v1h-1z` : "")))
    .join("");
  return html`
    <svg class="qr" viewBox="0 0 ${size} ${size}" role="img" aria-label=${label} shape-rendering="crispEdges">
      ${svg`<rect width=${size} height=${size} fill="#fff"/><path d=${path} fill="#000"/>`}
    </svg>
  `;
}

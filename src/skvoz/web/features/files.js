/** Files of a message: what they are called and how big they are, so that nothing that came stays unseen. */

import { html, nothing } from "../vendor/lit.js";
import { icons } from "../core/icons.js";
import { bubbleParts } from "../core/places.js";
import { fileSize, say } from "../core/texts.js";

/** @typedef {import("../types/api.js").FileView} FileView */

bubbleParts.add({
  order: 20,
  draw: ({ files }) =>
    files.length
      ? html`<ul class="files" aria-label=${say("Files")}>${files.map((file) => html`<li>${named(file)}</li>`)}</ul>`
      : nothing,
});

/** @param {FileView} file */
function named({ name, size, description }) {
  return html`
    ${icons.file}
    <span class="file-name" dir="auto">${name || description || say("A file without a name")}</span>
    ${size ? html`<span class="quiet">${fileSize(size)}</span>` : nothing}
  `;
}

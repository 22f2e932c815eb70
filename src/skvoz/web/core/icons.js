/** Small drawings, all on a grid of 24; they mean nothing to a screen reader, so what holds one has a label. */

import { svg } from "../vendor/lit.js";

/** @param {import("../vendor/lit.js").SVGTemplateResult} content */
function drawn(content) {
  return svg`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${content}</svg>`;
}

export const icons = {
  archive: drawn(svg`<path d="M4 5h16v4H4zM5.5 9v9.5h13V9M10 12.5h4"/>`),
  back: drawn(svg`<path d="M15 5l-7 7 7 7"/>`),
  bin: drawn(svg`<path d="M4.5 7h15M9.5 7V4.5h5V7M6.5 7l1 12.5h9l1-12.5M10 10.5v5.5M14 10.5v5.5"/>`),
  check: drawn(svg`<path d="M5 12.5l4.5 4.5L19 7"/>`),
  clip: drawn(svg`<path d="M18.5 11l-6.8 6.8a4 4 0 0 1-5.7-5.7l7.6-7.6a2.7 2.7 0 0 1 3.8 3.8l-7.5 7.5a1.3 1.3 0 0 1-1.9-1.9l6.7-6.7"/>`),
  close: drawn(svg`<path d="M6 6l12 12M18 6L6 18"/>`),
  copy: drawn(svg`<rect x="8.5" y="8.5" width="11" height="11" rx="2.5"/><path d="M15.5 8.5V6A1.5 1.5 0 0 0 14 4.5H6A1.5 1.5 0 0 0 4.5 6v8A1.5 1.5 0 0 0 6 15.5h2.5"/>`),
  down: drawn(svg`<path d="M6 9.5l6 6 6-6"/>`),
  download: drawn(svg`<path d="M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5.5 19.5h13"/>`),
  edit: drawn(svg`<path d="M5 19l1-4L16.5 4.5l3 3L9 18z"/>`),
  file: drawn(svg`<path d="M7 3.5h7l4 4v13H7zM14 3.5v4h4"/>`),
  forward: drawn(svg`<path d="M9 5l7 7-7 7"/>`),
  gear: drawn(svg`<path d="M4 7h10M18 7h2M4 17h2M10 17h10"/><circle cx="16" cy="7" r="2.2"/><circle cx="8" cy="17" r="2.2"/>`),
  group: drawn(svg`<circle cx="9" cy="9" r="3.2"/><path d="M3 18.5c.8-3 3-4.2 6-4.2s5.2 1.2 6 4.2M15.5 6.2a3 3 0 0 1 0 5.6M17 14.6c2 .4 3.4 1.7 4 3.9"/>`),
  info: drawn(svg`<circle cx="12" cy="12" r="8"/><path d="M12 11v5M12 8v.2"/>`),
  microphone: drawn(svg`<rect x="9" y="3.5" width="6" height="11" rx="3"/><path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3"/>`),
  more: drawn(svg`<g fill="currentcolor" stroke="none"><circle cx="12" cy="5.5" r="1.7"/><circle cx="12" cy="12" r="1.7"/><circle cx="12" cy="18.5" r="1.7"/></g>`),
  muted: drawn(svg`<path d="M6 10a6 6 0 0 1 9.5-4.9M18 10c0 4 1.5 5.5 1.5 6.5H9M6 10c0 4-1.5 5.5-1.5 6.5M10.5 19.5a1.7 1.7 0 0 0 3 0M4 4l16 16"/>`),
  pause: drawn(svg`<path d="M9 6v12M15 6v12"/>`),
  person: drawn(svg`<circle cx="12" cy="8.5" r="3.7"/><path d="M4.5 19.5c1-3.7 4-5 7.5-5s6.5 1.3 7.5 5"/>`),
  picture: drawn(svg`<rect x="4" y="5" width="16" height="14" rx="2.5"/><path d="M5 17l4.5-5 3.5 3.5 2.5-2.5 3.5 4M15.5 9v.2"/>`),
  plus: drawn(svg`<path d="M12 5v14M5 12h14"/>`),
  pin: drawn(svg`<path d="M9 4.5h6l-.7 6 3.2 3H6.5l3.2-3zM12 13.5V20"/>`),
  place: drawn(svg`<path d="M12 20.5c-4-4.500-6-7.500-6-10.500a6 6 0 0 1 12 0c0 3-2 6-6 10.500z"/><circle cx="12" cy="10" r="2.2"/>`),
  play: drawn(svg`<path d="M8 5.5l11 6.5-11 6.5z"/>`),
  reply: drawn(svg`<path d="M9.5 6L4.5 11l5 5M5 11h8.5a6 6 0 0 1 6 6v1.5"/>`),
  scan: drawn(svg`<path d="M4 8.5V4h4.5M15.5 4H20v4.5M20 15.5V20h-4.5M8.5 20H4v-4.5M4 12h16"/>`),
  search: drawn(svg`<circle cx="10.5" cy="10.5" r="6"/><path d="M15 15l5 5"/>`),
  send: drawn(svg`<path d="M4.5 12L19.5 5l-4 14.5-4-5.5z"/><path d="M11.5 14l8-9"/>`),
  share: drawn(svg`<path d="M12 15V4M8 7.5L12 3.5l4 4M5.5 12v6.5A1.5 1.5 0 0 0 7 20h10a1.5 1.5 0 0 0 1.5-1.5V12"/>`),
  smile: drawn(svg`<circle cx="12" cy="12" r="8"/><path d="M8.5 14c1.8 2.6 5.200 2.6 7 0M9.5 9.5v.2M14.5 9.5v.2"/>`),
  timer: drawn(svg`<circle cx="12" cy="13.5" r="7"/><path d="M12 9.5v4l2.5 2M10 3.5h4"/>`),
  up: drawn(svg`<path d="M6 14.5l6-6 6 6"/>`),
  verified: drawn(svg`<path d="M12 3.5l7 2.5v5.5c0 4.5-3 7.5-7 9-4-1.5-7-4.5-7-9V6z"/><path d="M8.5 12l2.5 2.5 4.5-5"/>`),
  warning: drawn(svg`<path d="M12 4.5L21 19.5H3z"/><path d="M12 10v4.5M12 17v.2"/>`),
  // How far a message has come.
  waiting: drawn(svg`<circle cx="12" cy="12" r="7.5"/><path d="M12 7.5V12l3 2"/>`),
  sent: drawn(svg`<path d="M6 12.5l4 4L18.5 7.5"/>`),
  delivered: drawn(svg`<path d="M2.5 12.5l4 4L15 7.5M11 15l1.5 1.5L21 7.5"/>`),
};

/**
 * Files in a bubble: pictures by their thumbnails, films and sounds by the browser's player, all else by its name. Nothing is fetched
 * until somebody asks for it: the relay would learn that it was looked at.
 */

import { html, nothing } from "../vendor/lit.js";
import { icons } from "../core/icons.js";
import { Part } from "../core/part.js";
import { bubbleTop, messageMenu } from "../core/places.js";
import { fileSize, language, say } from "../core/texts.js";
import * as moving from "./moving.js";
import { openPicture } from "./viewer.js";
import { lengthOf } from "./voice.js";

/** @typedef {import("../types/api.js").FileView} FileView */
/** @typedef {import("../types/api.js").MessageView} MessageView */
/** @typedef {import("../types/api.js").ChatView} ChatView */

/** The longer side of a picture in a bubble, and the least of the shorter one, in pixels. */
const SIDE_MAX = 320;
const SIDE_MIN = 80;

bubbleTop.add({
  order: 20,
  draw: (message, chat) => {
    const { files } = message;
    if (!files.length) return nothing;
    const isOnItsWay = files.some(({ state }) => state === "uploading");
    return html`
      <ul class="files" aria-label=${say("Files")}>${files.map((file) => html`<li class="file">${drawn(file, message, chat)}</li>`)}</ul>
      ${isOnItsWay ? html`<button class="link-button" @click=${() => moving.dontSend(message)}>${say("Don't send")}</button>` : nothing}
    `;
  },
});

/** @param {FileView} file @param {MessageView} message @param {ChatView} chat */
function drawn(file, message, chat) {
  const kind = moving.kindOf(file);
  if (chat.is_request) return row(file, say("Accept the request to fetch it."));
  const isFilmElsewhere = kind === "film" && !moving.isHere(file);
  if (file.thumbnail && (kind === "picture" || isFilmElsewhere)) return pictureOf(file, message);
  const isPlayed = (kind === "film" || kind === "sound") && moving.isHere(file);
  if (isPlayed && file.waveform && file.duration_ms) return html`<skvoz-voice role="group" aria-label=${nameOf(file)} .file=${file}></skvoz-voice>${way(file, message)}`;
  return html`
    ${isPlayed ? html`<skvoz-player class=${kind} .file=${file}></skvoz-player>` : nothing}
    ${row(file, html`<skvoz-way .file=${file}></skvoz-way>`, buttons(file, message))}
  `;
}

/** How far a file has come, where that is not plain to see. @param {FileView} file @param {MessageView} message */
function way(file, message) {
  if (file.state === "here" && !file.failure) return nothing;
  return html`<div class="file-row"><span class="grows quiet"><skvoz-way .file=${file}></skvoz-way></span>${buttons(file, message)}</div>`;
}

/** @param {FileView} file @returns {string} what it is called here */
export function nameOf({ name, description }) {
  return name || description || say("A file without a name");
}

/** @param {FileView} file @param {unknown} standing @param {unknown} [acts] */
function row(file, standing, acts = nothing) {
  return html`
    <div class="file-row">
      ${icons.file}
      <span class="grows"><bdi class="file-name">${nameOf(file)}</bdi><small class="quiet">${standing}</small></span>
      ${acts}
    </div>
  `;
}

/** @param {FileView} file @param {MessageView} message */
function pictureOf(file, message) {
  const { width, height } = shownSize(file);
  const isFilm = moving.kindOf(file) === "film";
  const open = () => {
    if (!isFilm) openPicture(message.chat_id, file.file_id);
    if (file.state === "remote") void moving.fetchFile(file);
  };
  return html`
    <button class="picture" aria-label=${faceLabel(file, isFilm)} title=${nameOf(file)} @click=${open}>
      ${isFilm ? html`<span class="film-mark">${icons.play}${file.duration_ms ? lengthOf(file.duration_ms) : nothing}</span>` : nothing}
      <img src="data:${file.thumbnail_type};base64,${file.thumbnail}" width=${width} height=${height} alt="" @error=${broken}>
    </button>
    ${way(file, message)}
  `;
}

/** @param {FileView} file @param {boolean} isFilm */
function faceLabel(file, isFilm) {
  const length = isFilm && file.duration_ms ? `${lengthOf(file.duration_ms)}, ` : "";
  const named = { name: nameOf(file), size: length + fileSize(file.size) };
  const isRemote = file.state === "remote";
  if (isFilm) return isRemote ? say("Fetch the film {name}, {size}", named) : say("Film {name}, {size}", named);
  return isRemote ? say("Fetch the picture {name}, {size}", named) : say("Picture {name}, {size}", named);
}

/** What can't be decoded leaves its place empty, and no drawing of a torn picture. @param {Event} event */
function broken({ currentTarget }) {
  /** @type {HTMLElement} */ (currentTarget).classList.add("broken");
}

/** The room of a picture, before any of it is decoded; what others say of it may be anything. @param {FileView} file */
function shownSize({ width, height }) {
  const [wide, high] = [width || SIDE_MAX, height || (SIDE_MAX * 3) / 4];
  const scale = Math.min(1, SIDE_MAX / Math.max(wide, high));
  const within = (/** @type {number} */ side) => Math.min(SIDE_MAX, Math.max(SIDE_MIN, Math.round(side * scale)));
  return { width: within(wide), height: within(high) };
}

/**
 * The first one changes its meaning and stays the same button, so that the focus stays on it.
 *
 * @param {FileView} file
 * @param {MessageView} message
 */
function buttons(file, message) {
  const name = nameOf(file);
  return html`${mainButton(file, name)}${otherButton(file, name, message)}`;
}

/** @param {FileView} file @param {string} name */
function mainButton(file, name) {
  const { state, paused } = file;
  if (state === "uploading" || state === "downloading") {
    return paused
      ? button(say("Go on with {name}", { name }), icons.play, () => moving.pauseFile(file, false))
      : button(say("Hold {name}", { name }), icons.pause, () => moving.pauseFile(file, true));
  }
  if (state === "remote" && moving.kindOf(file) !== "document") {
    return button(say("Fetch {name}", { name }), icons.download, () => moving.fetchFile(file));
  }
  return button(say("Download {name}", { name }), icons.download, () => moving.download(file));
}

/** @param {FileView} file @param {string} name @param {MessageView} message */
function otherButton(file, name, message) {
  if (file.state === "downloading") {
    return button(say("Don't fetch {name}", { name }), icons.close, () => moving.forgetFile(file));
  }
  const isUnseen = moving.kindOf(file) === "picture" && !file.thumbnail && file.state === "here";
  if (!isUnseen) return nothing;
  return button(say("Show {name}", { name }), icons.picture, () => openPicture(message.chat_id, file.file_id));
}

/** @param {string} label @param {unknown} icon @param {() => void} act */
function button(label, icon, act) {
  return html`<button class="icon-button" aria-label=${label} title=${label} @click=${act}>${icon}</button>`;
}

/** How far a file has come; drawn apart from its bubble, since it changes a few times a second. */
class Way extends Part {
  static properties = { file: { attribute: false } };

  constructor() {
    super();
    /** @type {FileView | null} */
    this.file = null;
    this.watch(moving.progress, language);
  }

  render() {
    const { file } = this;
    if (!file) return nothing;
    const part = moving.progress.value.get(file.file_id) ?? 0;
    const words = wayOf(file, part);
    if (file.state !== "uploading" && file.state !== "downloading") return words;
    return html`<progress max="1" .value=${part} aria-label=${nameOf(file)}></progress><span>${words}</span>`;
  }
}

/** @param {FileView} file @param {number} part */
function wayOf(file, part) {
  const { state, paused, size } = file;
  const failure = moving.failureWords(file);
  if (failure) return failure;
  if (state === "remote") return say("{size}, not fetched", { size: fileSize(size) });
  if (state !== "uploading" && state !== "downloading") return fileSize(size);
  const values = { percent: moving.percent(part), size: fileSize(size) };
  if (paused) return say("Held at {percent} of {size}", values);
  if (!part) return say("{size}, waits", values);
  return state === "uploading" ? say("{percent} of {size} sent", values) : say("{percent} of {size} fetched", values);
}

/** The browser's own player. A film runs by an address of its own, since a browser sends no token with it. */
class Player extends Part {
  static properties = { file: { attribute: false }, address: { state: true } };

  constructor() {
    super();
    /** @type {FileView | null} */
    this.file = null;
    this.address = "";
    this.watch(language);
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  willUpdate(changed) {
    const before = /** @type {FileView | null | undefined} */ (changed.get("file"));
    if (this.file && changed.has("file") && before?.file_id !== this.file.file_id) void this.find(this.file);
  }

  /** @private @param {FileView} file */
  async find({ file_id }) {
    this.address = await moving.addressOf(file_id);
  }

  render() {
    const { file, address } = this;
    if (!file || !address) return nothing;
    const name = nameOf(file);
    const poster = file.thumbnail ? `data:${file.thumbnail_type};base64,${file.thumbnail}` : nothing;
    return moving.kindOf(file) === "film"
      ? html`<video controls preload="metadata" src=${address} poster=${poster} aria-label=${name}></video>`
      : html`<audio controls preload="metadata" src=${address} aria-label=${name}></audio>`;
  }
}

customElements.define("skvoz-way", Way);
customElements.define("skvoz-player", Player);

messageMenu.add({
  order: 80,
  icon: icons.archive,
  label: () => say("Free the room of its files"),
  applies: ({ files, deleted }) => !deleted && files.some(({ state }) => state === "here"),
  act: ({ files }) => {
    for (const file of files) if (file.state === "here") void moving.forgetFile(file);
  },
});

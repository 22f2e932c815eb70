/** A voice message in a bubble: its waveform, the place in it, and how fast it is spoken. */

import { html, nothing, svg } from "../vendor/lit.js";
import { attempt } from "../core/attempt.js";
import { icons } from "../core/icons.js";
import { Part } from "../core/part.js";
import { language, numeral, say } from "../core/texts.js";
import { addressOf, download } from "./moving.js";

/** @typedef {import("../types/api.js").FileView} FileView */

const SPEEDS = [1, 1.5, 2];
const HEIGHT = 32;
/** Chosen once, it holds for all until the page is closed. */
let speed = 1;

/** @param {number} ms @returns {string} minutes and seconds */
export function lengthOf(ms) {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

class Voice extends Part {
  static properties = { file: { attribute: false }, atMs: { state: true }, isPlaying: { state: true } };

  constructor() {
    super();
    /** @type {FileView | null} */
    this.file = null;
    this.atMs = 0;
    this.isPlaying = false;
    /** @private @type {HTMLAudioElement | null} */
    this.audio = null;
    this.watch(language);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.audio?.pause();
  }

  render() {
    const { file } = this;
    if (!file) return nothing;
    const save = say("Download {name}", { name: file.name });
    const label = this.isPlaying ? say("Pause") : say("Play");
    return html`
      <button class="icon-button" aria-label=${label} title=${label} @click=${() => attempt(() => this.turn(file))}>${this.isPlaying ? icons.pause : icons.play}</button>
      <span class="wave">
        ${drawn(file, this.atMs)}
        <input type="range" min="0" max=${file.duration_ms} step="100" .value=${this.atMs} aria-label=${say("Place in the recording")}
          aria-valuetext=${say("{number} of {all}", { number: lengthOf(this.atMs), all: lengthOf(file.duration_ms) })} @input=${this.seek}>
      </span>
      <span class="quiet">${lengthOf(this.isPlaying || this.atMs ? this.atMs : file.duration_ms)}</span>
      <button class="icon-button speed" aria-label=${say("Speed: {number}", { number: numeral(speed) })} @click=${this.faster}>${numeral(speed)}×</button>
      <button class="icon-button" aria-label=${save} title=${save} @click=${() => download(file)}>${icons.download}</button>
    `;
  }

  /** @private @param {FileView} file */
  async turn(file) {
    if (this.isPlaying) return this.audio?.pause();
    const audio = this.audio ?? (await this.load(file));
    audio.playbackRate = speed;
    audio.currentTime = this.atMs / 1000;
    await audio.play();
  }

  /** @private @param {FileView} file */
  async load({ file_id, duration_ms }) {
    const audio = new Audio(await addressOf(file_id));
    audio.ontimeupdate = () => {
      this.atMs = Math.min(duration_ms, audio.currentTime * 1000);
    };
    audio.onplay = () => {
      this.isPlaying = true;
    };
    audio.onpause = () => {
      this.isPlaying = false;
    };
    audio.onended = () => {
      this.isPlaying = false;
      this.atMs = 0;
    };
    this.audio = audio;
    return audio;
  }

  /** @private @param {Event} event */
  seek({ currentTarget }) {
    this.atMs = Number(/** @type {HTMLInputElement} */ (currentTarget).value);
    if (this.audio) this.audio.currentTime = this.atMs / 1000;
  }

  /** @private */
  faster() {
    speed = SPEEDS[(SPEEDS.indexOf(speed) + 1) % SPEEDS.length] ?? 1;
    if (this.audio) this.audio.playbackRate = speed;
    this.requestUpdate();
  }
}

/** @param {FileView} file @param {number} atMs */
function drawn({ waveform, duration_ms }, atMs) {
  const levels = Array.from(atob(waveform), (letter) => letter.charCodeAt(0));
  const played = Math.round((levels.length * atMs) / duration_ms);
  /** @param {number} from @param {number} to */
  const bars = (from, to) =>
    levels
      .slice(from, to)
      .map((level, index) => {
        const half = Math.max(1, (level / 255) * (HEIGHT / 2 - 1));
        return `M${(from + index) * 4 + 2} ${HEIGHT / 2 - half}v${half * 2}`;
      })
      .join("");
  return svg`
    <svg viewBox="0 0 ${levels.length * 4} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">
      <path class="played" d=${bars(0, played)} /><path d=${bars(played, levels.length)} />
    </svg>
  `;
}

customElements.define("skvoz-voice", Voice);

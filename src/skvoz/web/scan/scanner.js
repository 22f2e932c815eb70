/** A camera, or a picture out of a file, that is searched for a QR code until what one says is taken. */

import { html, nothing } from "../vendor/lit.js";
import { ask } from "../core/dialog.js";
import { icons } from "../core/icons.js";
import { Part } from "../core/part.js";
import { explain, say } from "../core/texts.js";
import { textIn } from "./reading.js";

/** @typedef {(text: string) => string | Promise<string>} Take what is wrong with a code's text; empty: it was taken */

const LOOK_EVERY_MS = 250;
const CAMERA_SIDE_MAX = 640;
const PICTURE_SIDE_MAX = 1600;

class Scanner extends Part {
  static properties = { take: { attribute: false }, said: { state: true }, sees: { state: true } };

  constructor() {
    super();
    /** @type {Take} */
    this.take = () => "";
    this.said = "";
    this.sees = false;
    /** @private @type {MediaStream | null} */
    this.stream = null;
    /** @private what the camera saw last */
    this.seen = "";
  }

  firstUpdated() {
    void this.look();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.stop();
  }

  render() {
    return html`
      <video class="camera" playsinline aria-hidden="true" tabindex="-1" ?hidden=${!this.sees} .muted=${true}></video>
      ${this.sees && !this.said ? html`<p class="quiet" role="status">${say("Hold the code in front of the camera.")}</p>` : nothing}
      ${this.said ? html`<p class="problem" role="alert">${this.said}</p>` : nothing}
      <button type="button" class="button" @click=${this.choose}>${icons.picture}${say("From a picture…")}</button>
      <input type="file" accept="image/*" hidden @change=${this.chosen}>
    `;
  }

  /** @private */
  async look() {
    const video = this.querySelector("video");
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
      if (!this.isConnected || !video) return this.stop();
      video.srcObject = this.stream;
      await video.play();
      this.sees = true;
    } catch (error) {
      if (this.isConnected) this.said = whyNot(error);
      return this.stop();
    }
    // One picture at a time: the next is taken once this one was looked at.
    while (this.stream) {
      const text = await textIn(video, video.videoWidth, video.videoHeight, CAMERA_SIDE_MAX).catch(() => "");
      // A camera sees the same code many times; what a picture said meanwhile is not to be taken away by it.
      if (text && text !== this.seen && this.stream) {
        this.seen = text;
        await this.found(text);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  /** @private */
  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
  }

  /** @private @param {string} text */
  async found(text) {
    try {
      this.said = await this.take(text);
    } catch (error) {
      this.said = explain(error);
    }
  }

  /** @private */
  choose() {
    const input = this.querySelector("input");
    if (input) input.click();
  }

  /** @private @param {Event} event */
  async chosen(event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    const file = input.files?.[0];
    input.value = "";
    if (!file) return;
    try {
      const picture = await createImageBitmap(file);
      const text = await textIn(picture, picture.width, picture.height, PICTURE_SIDE_MAX);
      picture.close();
      if (text) await this.found(text);
      else this.said = say("There is no QR code in this picture, or it is too small.");
    } catch {
      this.said = say("This picture can't be read.");
    }
  }
}

/** @param {unknown} error */
function whyNot(error) {
  switch (error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
      return say("The browser does not let this page use the camera. You can allow it beside the address, or go another way.");
    case "NotReadableError":
    case "AbortError":
      return say("The camera is busy: another program may be using it.");
    default:
      return say("There is no camera here.");
  }
}

/**
 * Show a dialog that scans until something is taken; whoever takes it closes the dialog.
 *
 * @param {string} title
 * @param {Take} take
 */
export function scan(title, take) {
  ask({ title, body: html`<skvoz-scanner .take=${take}></skvoz-scanner>`, answers: [] });
}

customElements.define("skvoz-scanner", Scanner);

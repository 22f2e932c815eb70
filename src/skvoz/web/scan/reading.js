/** What a QR code in a picture says: read by the browser where it can, else by the node. */

import { sessionToken } from "../core/connection.js";

/** @typedef {{ detect: (source: OffscreenCanvas) => Promise<{ rawValue: string }[]> }} Detector */

/** @type {Promise<Detector | null> | null} */
let own = null;

/** @returns {Promise<Detector | null>} */
async function detector() {
  const Kind = /** @type {any} */ (globalThis).BarcodeDetector;
  const formats = Kind ? await Kind.getSupportedFormats() : [];
  return formats.includes("qr_code") ? new Kind({ formats: ["qr_code"] }) : null;
}

/**
 * @param {CanvasImageSource} source
 * @param {number} fullWidth
 * @param {number} fullHeight
 * @param {number} sideMax what is larger is made smaller first
 * @returns {Promise<string>} empty where there is no code
 */
export async function textIn(source, fullWidth, fullHeight, sideMax) {
  const scale = Math.min(1, sideMax / Math.max(fullWidth, fullHeight));
  const width = Math.max(1, Math.round(fullWidth * scale));
  const height = Math.max(1, Math.round(fullHeight * scale));
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  // Behind what is transparent, which would be black.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0, width, height);
  own ??= detector();
  const found = await own;
  if (found) return (await found.detect(canvas))[0]?.rawValue ?? "";
  return byTheNode(width, height, brightness(context.getImageData(0, 0, width, height).data));
}

/** @param {Uint8ClampedArray} colours */
function brightness(colours) {
  const grey = new Uint8Array(colours.length / 4);
  for (let at = 0; at < grey.length; at++) {
    const [red, green, blue] = [colours[at * 4] ?? 0, colours[at * 4 + 1] ?? 0, colours[at * 4 + 2] ?? 0];
    grey[at] = (red * 77 + green * 150 + blue * 29) >> 8;
  }
  return grey;
}

/** @param {number} width @param {number} height @param {Uint8Array<ArrayBuffer>} body @returns {Promise<string>} */
async function byTheNode(width, height, body) {
  const headers = { authorization: `Bearer ${sessionToken()}` };
  const answer = await fetch(`/qr?width=${width}&height=${height}`, { method: "POST", body, headers });
  return answer.ok ? (await answer.json()).text : "";
}

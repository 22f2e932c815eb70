/**
 * Pictures before they are sent: drawn anew, which leaves behind what a camera wrote into them (where, when, with what), and
 * no larger than a screen needs. And a thumbnail that is shown until the picture is fetched.
 */

import { stripped } from "./animations.js";

/**
 * `asItIs`: with all that a camera wrote into it.
 *
 * @typedef {{ content: Blob, name: string, width: number, height: number, thumbnail: Blob | null, asItIs: boolean }} Picture
 */

/** The longer side in pixels. */
const SIDE_MAX = 2560;
const QUALITY = 0.85;
/** Drawings and screenshots have edges that a lower one would blur. */
const SHARP_QUALITY = 0.92;
const THUMBNAIL_SIDES = [320, 240, 160, 96, 48];
const THUMBNAIL_QUALITIES = [0.75, 0.5];
/** What a message takes for one, in bytes. */
export const THUMBNAIL_BYTES_MAX = 16 * 1024;
/** Drawn from markup, which may ask for anything: never decoded here, sent as a document. */
const MARKUP = "image/svg+xml";
/** May move, and drawing it anew would stop it. */
const MOVING = "image/gif";

/**
 * Draw a picture anew, or cut out of a moving one what is no picture; null for what is none, or none that this browser can read.
 *
 * @param {File} file
 * @param {boolean} asItIs whether it is to stay what it is
 * @returns {Promise<Picture | null>}
 */
export async function picture(file, asItIs) {
  if (!file.type.startsWith("image/") || file.type === MARKUP) return null;
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return null;
  }
  try {
    const { width, height } = bitmap;
    const thumbnail = await thumbnailOf(bitmap, THUMBNAIL_BYTES_MAX);
    const whole = { content: file, name: file.name, width, height, thumbnail };
    if (asItIs) return { ...whole, asItIs };
    const moving = await stripped(file);
    if (moving) return { ...whole, content: moving, asItIs };
    if (file.type === MOVING) return { ...whole, asItIs: true };
    const size = fitted(width, height, SIDE_MAX);
    const content = await drawn(bitmap, size, file.type === "image/png" ? SHARP_QUALITY : QUALITY);
    return { content, name: renamed(file.name, content.type), ...size, thumbnail, asItIs };
  } finally {
    bitmap.close();
  }
}

/**
 * Make a thumbnail smaller still; null where it can't be.
 *
 * @param {Blob} thumbnail
 * @param {number} bytesMax
 */
export async function smallerThumbnail(thumbnail, bytesMax) {
  if (thumbnail.size <= bytesMax) return thumbnail;
  const bitmap = await createImageBitmap(thumbnail);
  try {
    return await thumbnailOf(bitmap, bytesMax);
  } finally {
    bitmap.close();
  }
}

/**
 * @param {ImageBitmap} bitmap
 * @param {number} bytesMax
 */
export async function thumbnailOf(bitmap, bytesMax) {
  for (const side of THUMBNAIL_SIDES) {
    for (const quality of THUMBNAIL_QUALITIES) {
      const blob = await drawn(bitmap, fitted(bitmap.width, bitmap.height, side), quality);
      if (blob.size <= bytesMax) return blob;
    }
  }
  return null;
}

/**
 * @param {number} width
 * @param {number} height
 * @param {number} side
 */
function fitted(width, height, side) {
  const scale = Math.min(1, side / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/**
 * @param {ImageBitmap} bitmap
 * @param {{ width: number, height: number }} size
 * @param {number} quality
 */
async function drawn(bitmap, { width, height }, quality) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  const blob = await canvas.convertToBlob({ type: "image/webp", quality });
  if (blob.type === "image/webp") return blob;
  // A browser that writes no WebP gives a PNG, many times the size. A JPEG has nothing to see through.
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  return canvas.convertToBlob({ type: "image/jpeg", quality });
}

/** @param {string} name @param {string} type */
function renamed(name, type) {
  return `${name.replace(/\.[^.]{1,5}$/u, "")}.${type === "image/webp" ? "webp" : "jpg"}`;
}

/** A film before it is sent: a picture out of its beginning, its size and length. The film itself goes as it is. */

import { THUMBNAIL_BYTES_MAX, thumbnailOf } from "./pictures.js";

/** @typedef {{ width: number, height: number, durationMs: number, thumbnail: Blob | null }} Face */

/** Where a film begins with black, its first second is past. */
const LOOK_AT_S = 1;
/** A busy machine may take long over a first picture; a film that can't be shown says so at once. */
const WAIT_MS_MAX = 30_000;

/**
 * Look at a film; null where this browser can't show it.
 *
 * @param {File} file
 * @returns {Promise<Face | null>}
 */
export async function filmFace(file) {
  if (!file.type.startsWith("video/")) return null;
  const video = document.createElement("video");
  const address = URL.createObjectURL(file);
  try {
    video.muted = true;
    video.preload = "auto";
    video.src = address;
    await until(video, "loadeddata");
    const { duration, videoWidth: width, videoHeight: height } = video;
    const isKnown = Number.isFinite(duration);
    if (!width || !height) return null;
    if (isKnown && duration > LOOK_AT_S) {
      video.currentTime = LOOK_AT_S;
      await until(video, "seeked");
    }
    const bitmap = await createImageBitmap(video);
    const thumbnail = await thumbnailOf(bitmap, THUMBNAIL_BYTES_MAX).finally(() => bitmap.close());
    return { width, height, durationMs: isKnown ? Math.round(duration * 1000) : 0, thumbnail };
  } catch {
    return null;
  } finally {
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(address);
  }
}

/** @param {HTMLVideoElement} video @param {string} event */
function until(video, event) {
  return new Promise((resolve, reject) => {
    video.addEventListener(event, resolve, { once: true });
    video.addEventListener("error", reject, { once: true });
    setTimeout(reject, WAIT_MS_MAX);
  });
}

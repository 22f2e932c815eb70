/**
 * Pictures that move: drawing one anew would stop it, so what is not picture (comments, EXIF, XMP, colour profiles) is cut out
 * of the file, and all else stays as it is.
 */

/** Larger ones are not taken apart in memory, bytes. */
const SIZE_MAX = 64 * 1024 * 1024;
const PNG_KEPT = new Set(["IHDR", "PLTE", "tRNS", "gAMA", "cHRM", "sRGB", "sBIT", "bKGD", "pHYs", "acTL", "fcTL", "fdAT", "IDAT", "IEND"]);
const WEBP_DROPPED = new Set(["EXIF", "XMP ", "ICCP"]);
/** The bits of a WebP's VP8X chunk that say that there is a profile, EXIF, XMP; and that it moves. */
const WEBP_EXTRAS = 0x20 | 0x08 | 0x04;
const WEBP_MOVES = 0x02;

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

/**
 * Return a moving picture without what is no picture in it; null for one that stands still, or that can't be taken apart.
 *
 * @param {File} file
 * @returns {Promise<Blob | null>}
 */
export async function stripped(file) {
  const strip = { "image/gif": gif, "image/png": png, "image/webp": webp }[file.type];
  if (!strip || file.size > SIZE_MAX) return null;
  const parts = strip(new Uint8Array(await file.arrayBuffer()));
  return parts && new Blob(parts, { type: file.type });
}

/** @param {Bytes} bytes @param {number} at @param {number} size */
function letters(bytes, at, size) {
  return String.fromCharCode(...bytes.subarray(at, at + size));
}

/** @param {number} packed @returns {number} bytes of a colour table */
function tableSize(packed) {
  return packed & 0x80 ? 3 << ((packed & 7) + 1) : 0;
}

/** GIF89a. @param {Bytes} bytes @returns {Bytes[] | null} */
function gif(bytes) {
  const byte = (/** @type {number} */ at) => bytes[at] ?? 0;
  /** Past the data blocks that begin at a place. @param {number} at */
  const past = (at) => {
    while (byte(at)) at += byte(at) + 1;
    return at + 1;
  };
  if (letters(bytes, 0, 3) !== "GIF") return null;
  let at = 13 + tableSize(byte(10));
  const parts = [bytes.subarray(0, at)];
  while (at < bytes.length) {
    const [kind, label] = [byte(at), byte(at + 1)];
    if (kind === 0x3b) return [...parts, bytes.subarray(at, at + 1)];
    const end = kind === 0x2c ? past(at + 11 + tableSize(byte(at + 9))) : past(at + 2);
    if (kind !== 0x2c && kind !== 0x21) return null;
    // Of extensions: how long a picture stays, and how often all of it is shown.
    const repeats = label === 0xff && letters(bytes, at + 3, 11) === "NETSCAPE2.0";
    if (kind === 0x2c || label === 0xf9 || repeats) parts.push(bytes.subarray(at, end));
    at = end;
  }
  return null;
}

/** @param {Bytes} bytes @returns {Bytes[] | null} */
function png(bytes) {
  const view = new DataView(bytes.buffer);
  const parts = [bytes.subarray(0, 8)];
  let moves = false;
  for (let at = 8; at + 12 <= bytes.length; ) {
    const kind = letters(bytes, at + 4, 4);
    const end = at + 12 + view.getUint32(at);
    moves ||= kind === "acTL";
    if (PNG_KEPT.has(kind)) parts.push(bytes.subarray(at, end));
    if (kind === "IEND") return moves && end <= bytes.length ? parts : null;
    at = end;
  }
  return null;
}

/** @param {Bytes} bytes @returns {Bytes[] | null} */
function webp(bytes) {
  const view = new DataView(bytes.buffer);
  const flags = bytes[20] ?? 0;
  if (letters(bytes, 8, 8) !== "WEBPVP8X" || !(flags & WEBP_MOVES)) return null;
  const head = bytes.slice(0, 12);
  const parts = [head];
  for (let at = 12; at + 8 <= bytes.length; ) {
    const size = view.getUint32(at + 4, true);
    const end = at + 8 + size + (size & 1);
    if (end > bytes.length) return null;
    const chunk = bytes.slice(at, end);
    const kind = letters(bytes, at, 4);
    if (kind === "VP8X") chunk[8] = flags & ~WEBP_EXTRAS;
    if (!WEBP_DROPPED.has(kind)) parts.push(chunk);
    at = end;
  }
  const length = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  new DataView(head.buffer).setUint32(4, length - 8, true);
  return parts;
}

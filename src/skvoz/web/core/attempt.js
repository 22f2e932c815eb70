import { tell } from "./announce.js";
import { explain } from "./texts.js";

/**
 * Do something, and say why where it is refused.
 *
 * @param {() => Promise<unknown>} what
 */
export async function attempt(what) {
  try {
    await what();
  } catch (error) {
    tell(explain(error));
  }
}

/**
 * Put a text on the clipboard, and say so.
 *
 * @param {string} text
 * @param {string} done what is said then
 */
export function copyText(text, done) {
  return attempt(async () => {
    await navigator.clipboard.writeText(text);
    tell(done);
  });
}

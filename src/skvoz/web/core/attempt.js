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

/**
 * The session with the node: a start token out of the address is exchanged once for a token that this tab keeps.
 *
 * Nothing else is kept in the browser's storage: what people write stays in the node's encrypted home.
 */

const KEY = "skvoz.session";
const START = "#start=";

/** @returns {Promise<string>} the session's token, empty where there is none */
export async function takeUpSession() {
  const { hash } = location;
  if (hash.startsWith(START)) {
    // Out of the address line and the history at once.
    history.replaceState(history.state, "", location.pathname);
    const token = await exchanged(hash.slice(START.length));
    if (token) sessionStorage.setItem(KEY, token);
  }
  return sessionStorage.getItem(KEY) ?? "";
}

/** Forget the session in this tab. */
export function dropSession() {
  sessionStorage.removeItem(KEY);
}

/**
 * End the session at the node, so that its token opens nothing any more.
 *
 * @param {string} token
 */
export async function endSession(token) {
  dropSession();
  await fetch("/session", { method: "DELETE", headers: { authorization: `Bearer ${token}` } });
}

/**
 * @param {string} start
 * @returns {Promise<string>}
 */
async function exchanged(start) {
  try {
    const answer = await fetch("/session", { method: "POST", body: JSON.stringify({ start }) });
    return answer.ok ? (await answer.json()).token : "";
  } catch {
    return "";
  }
}

/** How far somebody who begins has come: nothing of it is kept, since a reload may well skip the rest. */

import { call, on, wish } from "../core/connection.js";
import { goInstead } from "../core/router.js";
import { Signal } from "../core/signal.js";
import { say } from "../core/texts.js";
import { loadAccount, lookNow, status } from "./home.js";

/** @typedef {"" | "welcome" | "invite"} Step */

/** @type {Signal<Step>} */
export const firstRun = new Signal(/** @type {Step} */ (""));

/**
 * Make the account, and go to the next screen: the chat where a link was given, else the invitation.
 *
 * @param {{ name: string, link: string, relay: string }} beginning
 */
export async function beginAccount({ name, link, relay }) {
  // The address of a relay could be read from it too, and what is asked for here is a link.
  if (link && !/^skvoz:/iu.test(link)) throw new Error(say("this is not a Skvoz link: it has to start with skvoz:"));
  const found = await call("relay.parse", { text: link || relay || status.value?.suggested_relay || "" });
  const { addresses, relay_id, ticket } = found;
  // So that the account's appearance does not already lead away from this screen.
  firstRun.value = "welcome";
  await wish("account.create", { name, relay: { addresses, relay_id, ticket, public_key: "" } });
  await loadAccount();
  if (link) await acceptLink(link);
  else firstRun.value = "invite";
  void lookNow();
}

/**
 * Open somebody's link and go to the chat with them.
 *
 * @param {string} link
 */
export async function acceptLink(link) {
  if (leadsIntoGroup(link)) {
    const { log_id } = await wish("group.open_link", { link });
    firstRun.value = "";
    goInstead({ screen: "joining", id: log_id ?? "" });
    return;
  }
  const { chat_id } = await wish("link.accept", { link });
  firstRun.value = "";
  if (chat_id) goInstead({ screen: "chat", id: chat_id });
}

/**
 * Whether a link begins with the version of those that lead into groups.
 *
 * @param {string} link
 */
function leadsIntoGroup(link) {
  return /^[Ss][Kk][Vv][Oo][Zz]:A[g-v]/u.test(link.replaceAll(/\s/gu, ""));
}

/** Leave the first screens. */
export function endFirstRun() {
  firstRun.value = "";
}

on("link.used", ({ account_id }) => {
  if (firstRun.value !== "invite") return;
  firstRun.value = "";
  goInstead({ screen: "chat", id: account_id });
});

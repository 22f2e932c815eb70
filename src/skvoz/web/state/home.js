/** The home itself: whose it is, and how its node and relays are. */

import { attempt } from "../core/attempt.js";
import { call, line, listenAfter, on, wish } from "../core/connection.js";
import { Signal } from "../core/signal.js";

/** @typedef {import("../types/api.js").StatusView} StatusView */
/** @typedef {import("../types/api.js").AccountView} AccountView */
/** @typedef {"node" | "relay" | "ok"} Reach what is missing, if anything */

const LOOK_SOON_MS = 1500;
const LOOK_LATER_MS = 15_000;
let isConnected = false;

/** @type {Signal<StatusView | null>} */
export const status = new Signal(/** @type {StatusView | null} */ (null));
/** @type {Signal<AccountView | null>} */
export const account = new Signal(/** @type {AccountView | null} */ (null));
/** @type {Signal<Reach>} */
export const reach = new Signal(/** @type {Reach} */ ("node"));

/** Ask how everything is, and listen to what happens from then on. */
export async function loadHome() {
  const asked = call("node.status", {});
  const own = call("account.get", {}).catch(() => null);
  const found = await asked;
  if (found.locked) return;
  listenAfter(found.last_event);
  account.value = await own;
  status.value = found;
  on("account.created", () => void loadAccount());
  line.watch(judge);
  judge();
  void lookAgain();
}

/** Read the account anew, after a change of it. */
export async function loadAccount() {
  account.value = await call("account.get", {});
}

/**
 * Change the account as a check box says, which goes back where that is refused.
 *
 * @param {(wanted: boolean) => Omit<import("../types/api.js").Methods["account.change"]["params"], "client_id">} fields
 */
export const flips = (fields) => (/** @type {Event} */ event) =>
  attempt(async () => {
    const box = /** @type {HTMLInputElement} */ (event.target);
    try {
      await wish("account.change", fields(box.checked));
      await loadAccount();
      await lookNow();
    } catch (error) {
      box.checked = !box.checked;
      throw error;
    }
  });

/** Nothing tells of relays coming and going, so it is asked for: often while one is missing, or while there may be some near. */
async function lookAgain() {
  for (;;) {
    const wait = isConnected && !account.value?.lan_enabled ? LOOK_LATER_MS : LOOK_SOON_MS;
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (document.visibilityState === "hidden") continue;
    await lookNow().catch(() => null); // the next look may find what this one was refused
  }
}

/** Look at the relays soon, since something was just sent. */
export async function lookNow() {
  status.value = await call("node.status", {});
  judge();
}

function judge() {
  const relays = (status.value?.relays ?? []).filter((relay) => relay.channel === "rooms");
  isConnected = !relays.length || relays.some(({ state }) => state === "connected");
  // One that is being asked for the first time has not failed to answer.
  const failed = reach.value === "relay" || relays.some(({ state, problem }) => state === "waiting" || problem);
  if (line.value !== "open") reach.value = "node";
  else reach.value = !isConnected && failed ? "relay" : "ok";
}

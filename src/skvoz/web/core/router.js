/**
 * Where one is in the page. The place is kept in the history's state and not in the address, so that neither the
 * history nor the address line tells whom somebody writes to. A reload keeps it.
 */

import { Signal } from "./signal.js";

/** @typedef {{ screen: string, id?: string, at?: number, part?: string }} Route `part`: what to look at, by its id */

/** @type {Route} */
const HOME = { screen: "chats" };

/** @type {Signal<Route>} */
export const route = new Signal(/** @type {Route} */ (history.state?.route ?? HOME));

addEventListener("popstate", ({ state }) => {
  route.value = state?.route ?? HOME;
});

/** @param {Route} to */
export function go(to) {
  const { screen, id } = route.value;
  const isSame = screen === to.screen && id === to.id;
  history[isSame ? "replaceState" : "pushState"]({ route: to, inside: true }, "", "/");
  route.value = to;
}

/** @param {Route} to */
export function goInstead(to) {
  history.replaceState({ ...history.state, route: to }, "", "/");
  route.value = to;
}

/** Go back to where one came from, or up to the list where one came from nowhere. */
export function back() {
  if (history.state?.inside) history.back();
  else goInstead(HOME);
}

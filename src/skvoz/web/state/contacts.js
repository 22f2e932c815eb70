/** People who are known here, kept in step by events: whose safety number was compared, and whose key changed. */

import { call, on } from "../core/connection.js";
import { Signal } from "../core/signal.js";

/** @typedef {import("../types/api.js").ContactView} ContactView */

/** @type {Signal<Map<string, ContactView>>} */
export const contacts = new Signal(/** @type {Map<string, ContactView>} */ (new Map()));
/** Whether they have come. */
export const contactsLoaded = new Signal(false);

/** Read everybody, and follow them. */
export async function loadContacts() {
  on("contact.changed", ({ account_id }) => void refresh(account_id));
  const found = await call("contact.list", {});
  for (const contact of found.contacts) contacts.value.set(contact.account_id, contact);
  contactsLoaded.value = true;
  contacts.touch();
}

/** @param {string} account_id */
async function refresh(account_id) {
  try {
    contacts.value.set(account_id, await call("contact.get", { account_id }));
  } catch {
    contacts.value.delete(account_id);
  }
  contacts.touch();
}

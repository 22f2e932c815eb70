/** Which chats are listed: all, some kind of them, or those of a folder. Folders are kept in the home. */

import { call, on } from "../core/connection.js";
import { Signal } from "../core/signal.js";
import { route } from "../core/router.js";

/** @typedef {import("../types/api.js").ChatView} ChatView */
/** @typedef {import("../types/api.js").FolderView} FolderView */

/** @type {Signal<FolderView[]>} */
export const folders = new Signal(/** @type {FolderView[]} */ ([]));
/** `all`, `unread`, `groups`, `people`, or the number of a folder. @type {Signal<string | number>} */
export const filter = new Signal(/** @type {string | number} */ ("all"));

/** Read the folders, and again whenever they change, in this tab or another. */
export async function loadFolders() {
  on("folder.changed", () => void read());
  await read();
}

async function read() {
  folders.value = [...(await call("folder.list", {})).folders];
  if (typeof filter.value === "number" && filter.value >= folders.value.length) filter.value = "all";
}

/** @param {ChatView} chat @returns {boolean} whether the chat is listed; one that is open always is */
export function isListed(chat) {
  const { value } = filter;
  if (value === "unread") return chat.unread > 0 || chat.chat_id === route.value.id;
  if (value === "groups") return chat.kind === "group";
  if (value === "people") return chat.kind === "direct";
  return typeof value !== "number" || Boolean(folders.value[value]?.chats.includes(chat.chat_id));
}

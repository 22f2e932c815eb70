/** The list of chats: kept in step by events, the latest first. */

import { call, on } from "../core/connection.js";
import { Signal } from "../core/signal.js";

/** @typedef {import("../types/api.js").ChatView} ChatView */

const PAGE = 100;
/** Events come in bursts; a chat is asked for once in each, after so many milliseconds. */
const GATHER_MS = 40;

/** @type {Signal<Map<string, ChatView>>} */
export const chats = new Signal(/** @type {Map<string, ChatView>} */ (new Map()));
/** Whether the first page of the list has come. */
export const chatsLoaded = new Signal(false);

/** @type {Set<string>} */
const stale = new Set();

/** Read all chats, page by page, and follow them. */
export async function loadChats() {
  for (const kind of /** @type {const} */ (["chat.created", "chat.changed", "message.received", "message.queued"])) {
    on(kind, ({ chat_id }) => refreshChat(chat_id));
  }
  on("message.changed", ({ chat_id }) => refreshChat(chat_id));
  on("message.missing", ({ chat_id }) => refreshChat(chat_id));
  on("contact.changed", ({ account_id }) => refreshChat(account_id));
  /** @type {string | null} */
  let cursor = null;
  do {
    /** @type {import("../types/api.js").ChatListView} */
    const page = await call("chat.list", { cursor, limit: PAGE });
    for (const chat of page.chats) chats.value.set(chat.chat_id, chat);
    chats.touch();
    chatsLoaded.value = true;
    cursor = page.next_cursor;
  } while (cursor);
}

/**
 * Ask for a chat anew, soon.
 *
 * @param {string} chatId
 */
export function refreshChat(chatId) {
  if (!stale.size) setTimeout(() => void refresh(), GATHER_MS);
  stale.add(chatId);
}

async function refresh() {
  const wanted = [...stale];
  stale.clear();
  await Promise.all(wanted.map(refreshOne));
  chats.touch();
}

/** @param {string} chatId */
async function refreshOne(chatId) {
  try {
    const chat = await call("chat.get", { chat_id: chatId });
    if (chat.hidden || chat.kind === "self") chats.value.delete(chatId);
    else chats.value.set(chatId, chat);
  } catch {
    chats.value.delete(chatId);
  }
}

/** @returns {ChatView[]} all chats: the pinned ones, and then the latest first */
export function sortedChats() {
  return [...chats.value.values()].sort(
    (one, other) => Number(other.pinned) - Number(one.pinned) || other.last_activity_ms - one.last_activity_ms,
  );
}

/** @returns {number} chats with something new that are not kept quiet */
export function unreadChats() {
  return [...chats.value.values()].filter((chat) => chat.unread && !chat.muted).length;
}

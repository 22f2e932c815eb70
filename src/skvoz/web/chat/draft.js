/** What was begun in each chat and not sent. It stays in memory: a browser's storage is not encrypted. */

/** @typedef {import("../types/api.js").ChatView} ChatView */

/** @type {Map<string, string>} */
const drafts = new Map();

/**
 * @param {ChatView} chat
 * @returns {string}
 */
export function takenDraft(chat) {
  return drafts.get(chat.chat_id) ?? "";
}

/**
 * @param {ChatView} chat
 * @param {string} text
 */
export function keepDraft(chat, text) {
  if (text) drafts.set(chat.chat_id, text);
  else drafts.delete(chat.chat_id);
}

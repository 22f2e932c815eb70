/**
 * What was begun in each chat and not sent: the node keeps it in its encrypted home, a moment after the last letter.
 */

import { tell as note } from "../core/announce.js";
import { lastWish, onDraft, wish } from "../core/connection.js";
import { Signal } from "../core/signal.js";
import { explain, say } from "../core/texts.js";
import { chats, refreshChat } from "../state/chats.js";

/** @typedef {import("../types/api.js").ChatView} ChatView */

const WAIT_MS = 700;
/** The node keeps no longer ones. */
const LENGTH_MAX = 65_536;

/** @type {Map<string, { text: string, reply_to: string | null, timer: number }>} */
const waiting = new Map();

/** Drafts that the node has not answered for yet, by chat. @type {Map<string, number>} */
const sending = new Map();
/** What another tab began last. @type {Signal<{ chat_id: string, text: string } | null>} */
export const begunElsewhere = new Signal(/** @type {{ chat_id: string, text: string } | null} */ (null));

onDraft((draft) => {
  const { chat_id, text } = draft;
  const chat = chats.value.get(chat_id);
  // Words of this tab that are on their way are newer.
  if (!chat || waiting.has(chat_id) || sending.get(chat_id) || chat.draft.slice(0, LENGTH_MAX) === text) return;
  chats.value.set(chat_id, { ...chat, draft: text });
  chats.touch();
  begunElsewhere.value = draft;
});

/**
 * Keep a draft, soon.
 *
 * @param {ChatView} chat
 * @param {string} text
 * @param {string | null} replyTo
 */
export function keepDraft(chat, text, replyTo) {
  const id = chat.chat_id;
  clearTimeout(waiting.get(id)?.timer);
  // The list shows it at once.
  chats.value.set(id, { ...chat, ...chats.value.get(id), draft: text, draft_reply_to: replyTo });
  waiting.set(id, { text, reply_to: replyTo, timer: setTimeout(() => store(id), text ? WAIT_MS : 0) });
}

/** @param {string} id @param {typeof wish | typeof lastWish} [tell] */
function store(id, tell = wish) {
  const draft = waiting.get(id);
  if (!draft) return;
  clearTimeout(draft.timer);
  waiting.delete(id);
  chats.touch();
  const { text, reply_to } = draft;
  if (text.length > LENGTH_MAX) note(say("This is too long to be kept as a draft: only its beginning is."));
  const kept = tell("chat.keep_draft", { chat_id: id, text: text.slice(0, LENGTH_MAX), reply_to });
  sending.set(id, (sending.get(id) ?? 0) + 1);
  // A chat that was asked for before this, and came after it, knows nothing of the draft.
  kept
    .then(
      () => refreshChat(id),
      (error) => note(explain(error)),
    )
    .finally(() => sending.set(id, (sending.get(id) ?? 1) - 1));
}

/** Keep at once whatever still waits. */
export function keepAllDrafts() {
  for (const id of [...waiting.keys()]) store(id);
}

addEventListener("visibilitychange", keepAllDrafts);
addEventListener("pagehide", () => {
  for (const id of [...waiting.keys()]) store(id, lastWish);
});

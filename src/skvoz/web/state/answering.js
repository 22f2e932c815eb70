/** What the writing field is about at the moment: an answer to a message, another text for one, or neither. */

import { Signal } from "../core/signal.js";

/** @typedef {import("../types/api.js").MessageView} MessageView */
/** @typedef {import("../types/api.js").QuotedView} QuotedView */
/**
 * @typedef {{ kind: "reply", chatId: string, quoted: QuotedView } | { kind: "edit", chatId: string, message: MessageView }} Answering
 */

/** @type {Signal<Answering | null>} */
export const answering = new Signal(/** @type {Answering | null} */ (null));

/** @param {MessageView} message */
export function replyTo(message) {
  const { message_id, sequence, author_name, own, text, deleted, chat_id } = message;
  answering.value = { kind: "reply", chatId: chat_id, quoted: { message_id, sequence, author_name, own, text, deleted } };
}

/** @param {MessageView} message */
export function editMessage(message) {
  answering.value = { kind: "edit", chatId: message.chat_id, message };
}

/** Write something of its own again. */
export function answerNothing() {
  answering.value = null;
}

/**
 * The messages of the open chat: a window that moves over all of them, so that a long chat costs no more than a
 * short one.
 */

import { call, on, wish } from "../core/connection.js";
import { Signal } from "../core/signal.js";

/** @typedef {import("../types/api.js").MessageView} MessageView */
/** @typedef {import("../types/api.js").NoticeView} NoticeView */
/** @typedef {{ key: string, text: string, sent_ms: number, failure: string }} Unsent */

const PAGE = 60;
/** Messages held and drawn at once; moving on drops as many at the other end. */
const WINDOW = 240;
const GATHER_MS = 30;
/** What of a chat's changes stands between its messages. */
const CHANGES = ["admin", "deleted", "expiry", "member_added", "member_removed", "not_admin", "title"];

/** One open chat. */
export class Conversation {
  /** @param {string} chatId */
  constructor(chatId) {
    this.chatId = chatId;
    /** @type {MessageView[]} the oldest first */
    this.messages = [];
    /** What changed in the chat, the oldest first. @type {readonly NoticeView[]} */
    this.notices = [];
    /** How many people are in the chat; 0 before that is known. */
    this.people = 0;
    /** Set while there are older ones, or newer ones, than the window shows. @type {number | null} */
    this.before = null;
    /** @type {number | null} */
    this.after = null;
    this.loaded = false;
    /** @type {Unsent[]} written while the node could not be reached, which is what holds them */
    this.unsent = [];
    this.changed = new Signal(0);
    /** @private @type {Set<string>} */
    this.stale = new Set();
    /** @private @type {Promise<boolean> | null} one page at a time */
    this.reading = null;
    /** @private */
    this.newer = false;
  }

  /**
   * Read the latest messages, or those around one.
   *
   * @param {number | null} [around] a message's sequence
   */
  async load(around = null) {
    const page = await call("message.list", { chat_id: this.chatId, around, limit: PAGE });
    this.messages = page.messages.toReversed();
    this.before = page.next_before;
    this.after = page.next_after;
    this.loaded = true;
    this.touch();
  }

  /** Read what changed in the chat, and how many people are in it. */
  async lookAround() {
    const { chatId: chat_id } = this;
    const changed = call("chat.notices", { chat_id }).catch(() => null);
    const counted = call("chat.members", { chat_id }).catch(() => null);
    // Of a chat that is not here any more there is neither.
    this.notices = (await changed)?.notices ?? [];
    this.people = (await counted)?.members.length ?? 0;
    this.touch();
  }

  /** @returns {readonly NoticeView[]} the changes of the time that the window shows */
  get around() {
    const from = this.before === null ? 0 : (this.messages[0]?.sequence ?? 0);
    const until = this.after === null ? Number.POSITIVE_INFINITY : (this.messages.at(-1)?.sequence ?? 0);
    return this.notices.filter(({ sequence }) => sequence > from && sequence < until);
  }

  /** Read a page of older ones; false where there are none. */
  older() {
    return this.alone(async () => {
      if (this.before === null) return false;
      const page = await call("message.list", { chat_id: this.chatId, before: this.before, limit: PAGE });
      this.messages = [...page.messages.toReversed(), ...this.messages];
      this.before = page.next_before;
      if (this.messages.length > WINDOW) {
        this.messages = this.messages.slice(0, WINDOW);
        this.after = this.messages.at(-1)?.sequence ?? null;
      }
      this.touch();
      return true;
    });
  }

  /** Read a page of newer ones; false where there are none. */
  later() {
    return this.alone(async () => {
      if (this.after === null) return false;
      await this.readAfter(this.after);
      return true;
    });
  }

  /** @private @param {() => Promise<boolean>} read */
  async alone(read) {
    if (this.reading) return this.reading;
    this.reading = read();
    try {
      return await this.reading;
    } finally {
      this.reading = null;
    }
  }

  /**
   * @private
   * @param {number} after
   */
  async readAfter(after) {
    const page = await call("message.list", { chat_id: this.chatId, after, limit: PAGE });
    const known = new Set(this.messages.map((message) => message.message_id));
    const fresh = page.messages.toReversed().filter((message) => !known.has(message.message_id));
    this.messages = [...this.messages, ...fresh].sort((one, other) => one.sequence - other.sequence);
    this.after = page.next_after;
    if (this.messages.length > WINDOW) {
      this.messages = this.messages.slice(-WINDOW);
      this.before = this.messages[0]?.sequence ?? null;
    }
    this.touch();
  }

  /** Take up what arrived at the end of the chat; nothing to do while the window is elsewhere. */
  async arrived() {
    if (!this.loaded || this.after !== null) return;
    if (this.newer) return;
    this.newer = true;
    await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
    this.newer = false;
    await this.readAfter(this.messages.at(-1)?.sequence ?? 0);
  }

  /**
   * Read a message anew, soon.
   *
   * @param {string} messageId
   */
  changedMessage(messageId) {
    if (!this.messages.some((message) => message.message_id === messageId)) return;
    if (!this.stale.size) setTimeout(() => void this.refresh(), GATHER_MS);
    this.stale.add(messageId);
  }

  /**
   * Call somebody by another name.
   *
   * @param {string} author
   * @param {string} author_name
   */
  rename(author, author_name) {
    this.messages = this.messages.map((one) => (one.author === author ? { ...one, author_name } : one));
    this.touch();
  }

  /** @private */
  async refresh() {
    const wanted = [...this.stale];
    this.stale.clear();
    const found = await Promise.all(
      wanted.map((message_id) => call("message.get", { message_id }).catch(() => null)),
    );
    /** @type {Map<string, MessageView | null>} */
    const fresh = new Map(wanted.map((id, index) => [id, found[index] ?? null]));
    this.messages = this.messages.flatMap((message) => {
      const now = fresh.get(message.message_id);
      return now === undefined ? [message] : now === null ? [] : [now];
    });
    this.touch();
  }

  /**
   * Write a message. It is shown at once, and kept by the node as soon as that answers.
   *
   * @param {Omit<import("../types/api.js").Methods["message.send"]["params"], "client_id" | "chat_id">} words
   */
  async send(words) {
    const unsent = { key: crypto.randomUUID(), text: words.text || "📎", sent_ms: Date.now(), failure: "" };
    this.unsent.push(unsent);
    this.touch();
    try {
      const { message_id } = await wish("message.send", { chat_id: this.chatId, ...words });
      if (this.after !== null) await this.load();
      else if (!this.messages.some((message) => message.message_id === message_id)) {
        await this.readAfter(this.messages.at(-1)?.sequence ?? 0);
      }
      this.unsent = this.unsent.filter((one) => one !== unsent);
      this.touch();
    } catch (error) {
      this.unsent = this.unsent.filter((one) => one !== unsent);
      this.touch();
      throw error;
    }
  }

  /** @private */
  touch() {
    this.changed.value += 1;
  }
}

/** @type {Conversation | null} */
let present = null;

/**
 * Return the messages of a chat; those of the one that was open before are let go.
 *
 * @param {string} chatId
 * @param {number | null} [around]
 * @returns {Conversation}
 */
export function openConversation(chatId, around = null) {
  if (present?.chatId !== chatId) {
    present = new Conversation(chatId);
    void present.load(around);
    void present.lookAround();
  }
  return present;
}

/** Keep the open chat in step with what happens. */
export function followConversation() {
  for (const kind of /** @type {const} */ (["message.received", "message.queued"])) {
    on(kind, ({ chat_id }) => {
      if (present?.chatId === chat_id) void present.arrived();
    });
  }
  on("message.changed", ({ chat_id, message_id }) => {
    if (present?.chatId === chat_id) present.changedMessage(message_id);
  });
  on("contact.changed", async ({ account_id }) => {
    if (!present?.messages.some((message) => message.author === account_id)) return;
    const { name } = await call("contact.get", { account_id });
    present?.rename(account_id, name);
  });
  on("file.changed", ({ chat_id, message_id }) => {
    if (present?.chatId === chat_id && message_id) present.changedMessage(message_id);
  });
  on("chat.changed", ({ chat_id, what }) => {
    // A request that was held back fetches its words once it is accepted.
    if (present?.chatId !== chat_id) return;
    if (what === "deleted" || what === "accepted") void present.load();
    if (CHANGES.includes(what)) void present.lookAround();
  });
}

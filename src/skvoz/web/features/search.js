/** Search over all chats: names at once, words by the node's index; a result leads to its place. */

import { html, nothing } from "../vendor/lit.js";
import { announce, tell } from "../core/announce.js";
import { attempt } from "../core/attempt.js";
import { call } from "../core/connection.js";
import { icons } from "../core/icons.js";
import { avatar, chatName } from "../core/people.js";
import { chatMenu, chatTop, listInstead, listTop } from "../core/places.js";
import { go } from "../core/router.js";
import { Signal } from "../core/signal.js";
import { count, say, shortTime } from "../core/texts.js";
import { chats, sortedChats } from "../state/chats.js";
import { folded, sought } from "../state/sought.js";
import { found as foundWords } from "../chat/words.js";

/** @typedef {import("../types/api.js").ChatView} ChatView */
/** @typedef {import("../types/api.js").MessageView} MessageView */
/** @typedef {{ text: string, chat: string | null, messages: MessageView[], more: number | null, busy: boolean }} Search */

const WAIT_MS = 120;
const PAGE = 40;
const NAMES_MAX = 8;

/** @type {Signal<Search>} */
const search = new Signal(/** @type {Search} */ (nothingSought()));
let timer = 0;

/** @returns {Search} */
function nothingSought() {
  return { text: "", chat: null, messages: [], more: null, busy: false };
}

/** @param {Partial<Search>} change */
function set(change) {
  search.value = { ...search.value, ...change };
  chats.touch();
}

/** @param {Event} event */
function typed(event) {
  const text = /** @type {HTMLInputElement} */ (event.target).value;
  set({ text, busy: Boolean(text.trim()) });
  clearTimeout(timer);
  timer = setTimeout(() => void look(), WAIT_MS);
}

async function look() {
  const { text, chat } = search.value;
  if (!text.trim()) return set({ messages: [], more: null, busy: false });
  const page = await call("message.search", { text, chat_id: chat, limit: PAGE });
  // What was typed meanwhile is what counts.
  if (search.value.text !== text) return;
  set({ messages: page.messages, more: page.next_before, busy: false });
  announce(count("{number} message was found", "{number} messages were found", page.messages.length));
}

async function more() {
  const { text, chat, more: before, messages } = search.value;
  const page = await call("message.search", { text, chat_id: chat, before, limit: PAGE });
  if (search.value.text === text) set({ messages: [...messages, ...page.messages], more: page.next_before });
}

function stop() {
  clearTimeout(timer);
  search.value = nothingSought();
  sought.value = null;
  announce("");
  chats.touch();
}

/** @param {KeyboardEvent} event */
function key(event) {
  if (event.key === "Escape") stop();
  if (event.key !== "ArrowDown") return;
  const first = document.querySelector(".side .list button");
  if (first instanceof HTMLElement) {
    event.preventDefault();
    first.focus();
  }
}

listTop.add({
  order: 10,
  draw: () => {
    const { text, chat } = search.value;
    const inside = chat ? chats.value.get(chat) : undefined;
    return html`
      <search class="search">
        ${icons.search}
        <input type="search" aria-label=${say("Search")} placeholder=${inside ? say("Search in {name}", { name: chatName(inside) }) : say("Search")}
          .value=${text} @input=${typed} @keydown=${key} autocomplete="off" spellcheck="false">
        ${text || chat ? html`<button class="icon-button" aria-label=${say("End the search")} @click=${stop}>${icons.close}</button>` : nothing}
      </search>
    `;
  },
});

listInstead.add({
  order: 10,
  draw: () => {
    const { text, chat, messages, more: next, busy } = search.value;
    if (!text.trim()) return null;
    const wanted = folded(text.trim());
    const names = chat
      ? []
      : sortedChats()
          .filter((one) => folded(chatName(one)).includes(wanted))
          .slice(0, NAMES_MAX);
    return html`
      <div class="list" role="region" aria-label=${say("What was found")}>
        <ul class="chats">
          ${names.map((one) => html`<li><button class="chat-row" @click=${() => go({ screen: "chat", id: one.chat_id })}>
            ${avatar(one.chat_id, chatName(one))}<span class="chat-title" dir="auto">${chatName(one)}</span>
          </button></li>`)}
          ${messages.map(result)}
        </ul>
        ${next === null ? nothing : html`<button class="button more" @click=${more}>${say("More")}</button>`}
        <p class="quiet found-nothing" role="status">${busy || messages.length || names.length ? nothing : say("Nothing was found.")}</p>
      </div>
    `;
  },
});

/** @param {MessageView} message */
function show({ chat_id: id, sequence: at }) {
  sought.value = { chatId: id, text: search.value.text, at };
  go({ screen: "chat", id, at });
}

/** Go to what was found next to where one is. @param {"before" | "after"} where */
function step(where) {
  return attempt(async () => {
    const { value } = sought;
    if (!value) return;
    const { chatId: chat_id, text, at } = value;
    const { messages } = await call("message.search", { text, chat_id, [where]: at, limit: 1 });
    const next = messages[0];
    if (!next) return tell(say("Nothing more was found."));
    sought.value = { ...value, at: next.sequence };
    go({ screen: "chat", id: chat_id, at: next.sequence });
  });
}

chatTop.add({
  order: 20,
  draw: ({ chat_id }) => {
    const { value } = sought;
    if (value?.chatId !== chat_id) return nothing;
    return html`
      <div class="strip" role="group" aria-label=${say("What was found")}>
        ${icons.search}<span class="grows" dir="auto">${value.text}</span>
        <button class="icon-button" aria-label=${say("Earlier")} title=${say("Earlier")} @click=${() => step("before")}>${icons.up}</button>
        <button class="icon-button" aria-label=${say("Later")} title=${say("Later")} @click=${() => step("after")}>${icons.down}</button>
        <button class="icon-button" aria-label=${say("End the search")} @click=${stop}>${icons.close}</button>
      </div>
    `;
  },
});

/** @param {MessageView} message */
function result(message) {
  const chat = chats.value.get(message.chat_id);
  const name = chat ? chatName(chat) : message.author_name;
  return html`
    <li>
      <button class="chat-row" @click=${() => show(message)}>
        ${avatar(message.chat_id, name)}
        <span class="chat-title" dir="auto">${name}</span>
        <span class="chat-time">${shortTime(message.sent_ms)}</span>
        <span class="chat-last" dir="auto">${message.own ? html`<b>${say("You")}:</b> ` : nothing}${foundWords(message)}</span>
      </button>
    </li>
  `;
}

chatMenu.add({
  order: 10,
  applies: (chat) => !chat.is_request,
  label: () => say("Search in this chat"),
  act: (chat) => {
    set({ ...nothingSought(), chat: chat.chat_id });
    if (matchMedia("(max-width: 44rem)").matches) go({ screen: "chats" });
    setTimeout(() => {
      const field = document.querySelector("input[type=search]");
      if (field instanceof HTMLElement) field.focus();
    }, 0);
  },
});

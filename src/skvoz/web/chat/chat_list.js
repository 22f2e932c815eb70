/** The list of chats, with what is new in each. */

import { html, nothing, repeat } from "../vendor/lit.js";
import { icons } from "../core/icons.js";
import { Part } from "../core/part.js";
import { avatar, chatName } from "../core/people.js";
import { cards, listInstead, listMenu, listTop } from "../core/places.js";
import { menuButton } from "../core/popup.js";
import { go, route } from "../core/router.js";
import { count, language, numeral, say, shortTime } from "../core/texts.js";
import { account, reach } from "../state/home.js";
import { chats, chatsLoaded, sortedChats } from "../state/chats.js";
import { contacts } from "../state/contacts.js";
import { filter, folders, isListed } from "../state/folders.js";
import { plainWords } from "./words.js";
import { tick } from "./ticks.js";

/** @typedef {import("../types/api.js").ChatView} ChatView */

class ChatList extends Part {
  static properties = { showsArchive: { state: true } };

  constructor() {
    super();
    this.showsArchive = false;
    this.watch(chats, chatsLoaded, contacts, filter, folders, route, language, account, reach);
  }

  render() {
    const name = account.value?.name ?? "";
    return html`
      <nav aria-label=${say("Chats")}>
      <h1 class="only-read">Skvoz</h1>
      <div class="bar">
        <button class="self" @click=${() => go({ screen: "settings" })}>
          ${avatar(account.value?.account_id ?? "", name, "small")}
          <span class="only-read">${say("Settings")}:</span>
          <span class="name" dir="auto">${name}</span>
        </button>
        ${menuButton(say("New"), icons.plus, () => listMenu.all)}
      </div>
      ${listTop.all.map(({ draw }) => draw())}
      ${reach.value === "relay" ? html`<p class="reach" role="status">${say("No relay answers. What you write is kept, and goes out by itself.")} <button class="link-button" @click=${() => go({ screen: "settings" })}>${say("Find out why")}</button></p>` : nothing}
      ${this.body()}
      </nav>
    `;
  }

  /** @private */
  body() {
    for (const { draw } of listInstead.all) {
      const drawn = draw();
      if (drawn) return drawn;
    }
    return html`${cards.all.map(({ draw }) => draw())}${this.list()}`;
  }

  /** @private */
  list() {
    const everything = sortedChats();
    const listed = everything.filter(isListed);
    const archived = listed.filter((chat) => chat.archived);
    const all = listed.filter((chat) => !chat.archived);
    if (!everything.length && chatsLoaded.value) {
      return html`
        <div class="empty">
          <p>${say("No chats yet.")}</p>
          <button class="main-button" @click=${() => go({ screen: "invite" })}>${say("Invite somebody")}</button>
        </div>
      `;
    }
    return html`
      <div class="list">
        ${listed.length ? nothing : html`<p class="quiet none-listed">${say("No chat is like that.")}</p>`}
        <ul class="chats" @keydown=${this.move}>
          ${repeat(all, (chat) => chat.chat_id, (chat) => this.row(chat))}
        </ul>
        ${archived.length
          ? html`
              <button class="archive-row" aria-expanded=${this.showsArchive} @click=${() => (this.showsArchive = !this.showsArchive)}>
                ${icons.archive}<span>${count("{number} archived chat", "{number} archived chats", archived.length)}</span>
              </button>
              ${this.showsArchive
                ? html`<ul class="chats" @keydown=${this.move}>${repeat(archived, (chat) => chat.chat_id, (chat) => this.row(chat))}</ul>`
                : nothing}
            `
          : nothing}
      </div>
    `;
  }

  /** @private @param {ChatView} chat */
  row(chat) {
    const { screen, id } = route.value;
    const isOpen = id === chat.chat_id && screen.startsWith("chat");
    const name = chatName(chat);
    return html`
      <li>
        <button class="chat-row" aria-current=${isOpen ? "page" : nothing} @click=${() => go({ screen: "chat", id: chat.chat_id })}>
          ${avatar(chat.chat_id, name)}
          <span class="chat-title" dir="auto">${name}</span>
          <span class="chat-time">${shortTime(chat.last_activity_ms)}</span>
          <span class="chat-last" dir="auto">${lastWords(chat, isOpen)}</span>
          <span class="chat-marks">
            ${chat.muted ? html`<span role="img" aria-label=${say("Muted")}>${icons.muted}</span>` : nothing}
            ${chat.pinned ? html`<span role="img" aria-label=${say("Pinned")}>${icons.pin}</span>` : nothing}
            ${chat.unread
              ? html`<span class="badge ${chat.muted ? "quiet-badge" : ""}">
                  <span aria-hidden="true">${numeral(chat.unread)}</span>
                  <span class="only-read">${count("{number} new message", "{number} new messages", chat.unread)}</span>
                </span>`
              : nothing}
          </span>
        </button>
      </li>
    `;
  }

  /** @private Arrow keys go from chat to chat. @param {KeyboardEvent} event */
  move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const rows = [...this.querySelectorAll("button.chat-row")];
    const at = rows.indexOf(/** @type {Element} */ (document.activeElement));
    const next = rows[at + step];
    if (next instanceof HTMLElement) {
      event.preventDefault();
      next.focus();
    }
  }
}

/** @param {ChatView} chat @param {boolean} isOpen */
function lastWords(chat, isOpen) {
  if (chat.is_request) return html`<em>${say("Wants to write to you")}</em>`;
  if (chat.draft && !isOpen) return html`<b class="draft">${say("Draft:")}</b> ${chat.draft}`;
  const last = chat.last_message;
  if (!last) return chat.state === "creating" ? html`<em>${say("Being set up…")}</em>` : nothing;
  const words = plainWords(last);
  if (last.own) return html`${tick(last)} ${words}`;
  return chat.kind === "group" ? html`<b class="who">${last.author_name}</b>: ${words}` : words;
}

customElements.define("skvoz-chat-list", ChatList);

/**
 * Quiet cards above the list, once the first words were exchanged: one at a time, each about one thing that can wait.
 * Who says no is not asked again in this browser.
 */

import { html, nothing } from "../vendor/lit.js";
import { icons } from "../core/icons.js";
import { chatName } from "../core/people.js";
import { cards } from "../core/places.js";
import { go } from "../core/router.js";
import { Signal } from "../core/signal.js";
import { say } from "../core/texts.js";
import { chats, sortedChats } from "../state/chats.js";
import { contacts, contactsLoaded } from "../state/contacts.js";
import { account } from "../state/home.js";
import { askToNotify, mayAskToNotify } from "./notifications.js";

/** @typedef {import("../types/api.js").ChatView} ChatView */
/** @typedef {{ name: string, title: string, text: string, yes: string, act: () => unknown }} Card */

const KEY = "skvoz.cards";

/** @type {Signal<Set<string>>} the names of cards that were answered */
const answered = new Signal(new Set((localStorage.getItem(KEY) ?? "").split(",")));

/** @param {string} name */
function answer(name) {
  answered.value = new Set([...answered.value, name]);
  localStorage.setItem(KEY, [...answered.value].join(","));
  chats.touch();
}

/** @returns {ChatView | undefined} somebody whom one has talked with */
function friend() {
  return sortedChats().find((chat) => chat.kind === "direct" && !chat.is_request && chat.last_message && chat.state === "active");
}

/** @returns {Card | undefined} the card that is due */
function due() {
  const talked = friend();
  if (!talked) return undefined;
  /** @type {(Card & { wanted: boolean })[]} */
  const all = [
    {
      name: "notifications",
      wanted: mayAskToNotify(),
      title: say("Hear of new messages?"),
      text: say("The browser says “New message”, and nothing more, while you look elsewhere."),
      yes: say("Turn on"),
      act: askToNotify,
    },
    {
      name: "phrase",
      wanted: account.value !== null && !account.value.phrase_confirmed,
      title: say("Write down your recovery phrase"),
      text: say("24 words on paper prove that you are you."),
      yes: say("Show it"),
      act: () => go({ screen: "phrase" }),
    },
    {
      name: "safety",
      wanted: contactsLoaded.value && ![...contacts.value.values()].some((contact) => contact.verified),
      title: say("Is it really {name}?", { name: chatName(talked) }),
      text: say("Compare the safety number when you meet or call each other."),
      yes: say("Compare"),
      act: () => go({ screen: "chat-about", id: talked.chat_id, part: "safety" }),
    },
  ];
  return all.find((card) => card.wanted && !answered.value.has(card.name));
}

cards.add({
  order: 10,
  draw: () => {
    const card = due();
    if (!card) return nothing;
    const { name, title, text, yes, act } = card;
    const take = () => {
      answer(name);
      void act();
    };
    return html`
      <aside class="card" aria-label=${title}>
        <p><b>${title}</b></p>
        <p class="quiet">${text}</p>
        <button class="button" @click=${take}>${yes}</button>
        <button class="icon-button" aria-label=${say("Not now")} title=${say("Not now")} @click=${() => answer(name)}>${icons.close}</button>
      </aside>
    `;
  },
});

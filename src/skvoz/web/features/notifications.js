/** Notifications by the browser: off until asked for, and then without a name or a word unless that is asked for too. */

import { html, nothing } from "../vendor/lit.js";
import { call, on } from "../core/connection.js";
import { chatName } from "../core/people.js";
import { settingsSections } from "../core/places.js";
import { go } from "../core/router.js";
import { Signal } from "../core/signal.js";
import { say } from "../core/texts.js";
import { choice } from "../screens/settings.js";
import { chats } from "../state/chats.js";
import { account } from "../state/home.js";
import { plainWords } from "../chat/words.js";

const KEY = "skvoz.notifications";
/** Some browsers have none, or only for pages that were installed. */
const CAN_NOTIFY = "Notification" in window;
/** @type {Signal<string>} `off`, `plain` or `words` */
const wanted = new Signal(localStorage.getItem(KEY) ?? "off");
wanted.watch(() => account.touch());

/** @param {string} value */
async function choose(value) {
  if (value !== "off" && (await Notification.requestPermission()) !== "granted") {
    wanted.value = "off";
    account.touch();
    return;
  }
  localStorage.setItem(KEY, value);
  wanted.value = value;
}

/** @returns {boolean} whether there is a point in offering notifications */
export function mayAskToNotify() {
  return CAN_NOTIFY && wanted.value === "off" && Notification.permission === "default";
}

/** Turn notifications on, those that say nothing but that there is something. */
export function askToNotify() {
  return choose("plain");
}

settingsSections.add({
  order: 25,
  title: () => say("Notifications"),
  draw: () => !CAN_NOTIFY ? html`<p class="quiet">${say("Your browser has no notifications.")}</p>` : html`
    ${choice(
      "notifications",
      say("When a message comes and you look elsewhere"),
      [["off", say("Nothing")], ["plain", say("“New message”")], ["words", say("Name and words")]],
      wanted.value,
      (value) => void choose(value),
    )}
    ${Notification.permission === "denied" ? html`<p class="quiet">${say("Your browser does not let this page show notifications.")}</p>` : nothing}
  `,
});

on("message.received", ({ chat_id, message_id }) => {
  if (CAN_NOTIFY && wanted.value !== "off" && document.visibilityState === "hidden") void notify(chat_id, message_id);
});

/** @param {string} chatId @param {string} messageId */
async function notify(chatId, messageId) {
  const chat = chats.value.get(chatId);
  if (chat?.muted || chat?.archived || Notification.permission !== "granted") return;
  let [title, body] = ["Skvoz", say("New message")];
  if (wanted.value === "words" && chat && !chat.is_request) {
    const message = await call("message.get", { message_id: messageId });
    [title, body] = [chatName(chat), plainWords(message)];
  }
  // One for each chat: a later one takes its place.
  const shown = new Notification(title, { body, tag: chatId, icon: "/icon.svg" });
  shown.onclick = () => {
    window.focus();
    go({ screen: "chat", id: chatId });
    shown.close();
  };
}

/** One message in a chat. */

import { html, nothing } from "../vendor/lit.js";
import { bubbleInstead, bubbleParts, bubbleTop, messageMenu, messageMenuTop } from "../core/places.js";
import { menuButton } from "../core/popup.js";
import { icons } from "../core/icons.js";
import { called, hueOf } from "../core/people.js";
import { clock, fullTime, say } from "../core/texts.js";
import { failure, tick } from "./ticks.js";
import { soughtIn } from "../state/sought.js";
import { formatted } from "./words.js";

/** @typedef {import("../types/api.js").MessageView} MessageView */
/** @typedef {import("../types/api.js").ChatView} ChatView */
/**
 * Whether the same author spoke just before, and after; and whether it is the newest of all.
 *
 * @typedef {{ follows: boolean, isLast: boolean, isNewest: boolean }} Standing
 */

/**
 * @param {MessageView} message
 * @param {ChatView} chat
 * @param {Standing} standing
 */
export function bubble(message, chat, { follows, isLast, isNewest }) {
  const named = chat.kind === "group" && !message.own && !follows;
  const side = message.own ? "own" : "other";
  const entries = () =>
    messageMenu.all
      .filter(({ applies }) => applies(message, chat))
      .map((entry) => ({ ...entry, label: () => entry.label(message), act: () => entry.act(message, chat) }));
  const top = () => messageMenuTop.all.map(({ draw }) => draw(message, chat));
  return html`
    <article class="bubble ${side} ${follows ? "follows" : ""} ${isLast ? "last" : ""}" aria-label=${spoken(message)}>
      ${named ? html`<div class="author hued hue-${hueOf(message.author)}" dir="auto">${called(message.author_name)}</div>` : nothing}
      ${message.deleted ? nothing : bubbleTop.all.map(({ draw }) => draw(message, chat))}
      ${body(message, chat)}
      <footer class="about">
        ${message.edited && !message.deleted ? html`<span>${say("edited")}</span>` : nothing}
        ${message.expires_ms ? html`<span class="timer" role="img" aria-label=${say("disappears {time}", { time: fullTime(message.expires_ms) })} title=${say("disappears {time}", { time: fullTime(message.expires_ms) })}>${icons.timer}</span>` : nothing}
        <time datetime=${new Date(message.sent_ms).toISOString()} title=${fullTime(message.sent_ms)}>${clock(message.sent_ms)}</time>
        ${message.own ? tick(message) : nothing}
      </footer>
      ${message.state === "failed" ? html`<p class="failure">${say("Not sent: {reason}", { reason: failure(message.failure) })}</p>` : nothing}
      ${message.deleted ? nothing : bubbleParts.all.map(({ draw }) => draw(message, chat))}
      ${menuButton(say("What to do with this message"), icons.down, entries, { style: "bubble-menu", top, isStop: isNewest })}
    </article>
  `;
}

/**
 * @param {MessageView} message
 * @param {ChatView} chat
 */
function body(message, chat) {
  if (message.deleted) return html`<p class="gone">${say("Deleted")}</p>`;
  const instead = chat.is_request ? null : bubbleInstead.all.map(({ draw }) => draw(message, chat)).find(Boolean);
  if (instead) return instead;
  const words = message.text ? html`<div class="words">${formatted(message, { links: !chat.is_request, sought: soughtIn(chat.chat_id, message.text) })}</div>` : nothing;
  if (!message.unsupported) return words;
  return html`<p class="gone">${say("Something that this version can't show")}</p>${words}`;
}

/** @param {MessageView} message */
function spoken({ own, author_name: author, sent_ms: sent }) {
  return own ? say("You, {time}", { time: clock(sent) }) : say("{name}, {time}", { name: author, time: clock(sent) });
}

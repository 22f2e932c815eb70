/** What changed in a chat, in words between its messages: who came, went or took charge, its name, its timer. */

import { called } from "../core/people.js";
import { capital, duration, listed, say } from "../core/texts.js";

/** @typedef {import("../types/api.js").NoticeView} NoticeView */

/**
 * A name that turns nothing around it, whichever way it is written.
 *
 * @param {string} name
 * @param {boolean} own
 */
function whom(name, own) {
  return own ? say("you") : `\u2068${called(name)}\u2069`;
}

/**
 * Put together what one person did to several at once.
 *
 * @param {readonly NoticeView[]} notices
 * @returns {NoticeView[][]}
 */
export function together(notices) {
  /** @type {NoticeView[][]} */
  const runs = [];
  for (const notice of notices) {
    const last = runs.at(-1);
    const before = last?.at(-1);
    const goesOn = before?.what === notice.what && before.actor_name === notice.actor_name && before.actor_own === notice.actor_own;
    if (last && goesOn && notice.what.startsWith("member")) last.push(notice);
    else runs.push([notice]);
  }
  return runs;
}

/** @param {NoticeView[]} run @returns {string} */
export function noticeWords(run) {
  const notice = /** @type {NoticeView} */ (run[0]);
  const { actor_own, expiry_s } = notice;
  const values = {
    actor: whom(notice.actor_name, actor_own),
    name: listed(run.map(({ subject_name, subject_own }) => whom(subject_name, subject_own))),
    title: `\u2068${notice.title}\u2069`,
    time: duration(expiry_s ?? 0),
  };
  const words = text(notice, values);
  return actor_own ? capital(words) : words;
}

/** @param {NoticeView} notice @param {Record<string, string>} values */
function text({ what, expiry_s }, values) {
  switch (what) {
    case "member_added":
      return say("{actor} added {name}", values);
    case "member_left":
      return say("{name} left", values);
    case "member_removed":
      return say("{actor} removed {name}", values);
    case "admin":
      return say("{actor} made {name} an admin", values);
    case "not_admin":
      return say("{actor} made {name} a plain member", values);
    case "title":
      return say("{actor} named the group “{title}”", values);
    default:
      return expiry_s ? say("{actor} set new messages to disappear after {time}", values) : say("{actor} set new messages to stay", values);
  }
}

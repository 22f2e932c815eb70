/**
 * Places that features add themselves to, so that a feature is one module and the frame names none of them.
 *
 * Whatever stands in a place is drawn in the order of `order`, small numbers first.
 */

/** @typedef {import("../vendor/lit.js").TemplateResult} Template */
/** @typedef {import("../types/api.js").ChatView} ChatView */
/** @typedef {import("../types/api.js").MessageView} MessageView */
/** @typedef {import("./router.js").Route} Route */

/**
 * @template T
 */
export class Place {
  constructor() {
    /** @private @type {(T & { order: number })[]} */
    this.held = [];
  }

  /** @param {T & { order: number }} one */
  add(one) {
    this.held.push(one);
    this.held.sort((left, right) => left.order - right.order);
  }

  /** @returns {readonly (T & { order: number })[]} */
  get all() {
    return this.held;
  }
}

/** Whole screens beside the list of chats, by the name in a route. @type {Map<string, (route: Route) => unknown>} */
export const screens = new Map();
/** Entries of the menu beside the search field. @type {Place<{ label: () => string, act: () => void }>} */
export const listMenu = new Place();
/**
 * What can be done with a message; `applies` says with which.
 *
 * @type {Place<{ label: (message: MessageView) => string, applies: (message: MessageView, chat: ChatView) => boolean,
 *   act: (message: MessageView, chat: ChatView) => void, icon: unknown }>}
 */
export const messageMenu = new Place();
/** What stands above the entries of a message's menu. @type {Place<{ draw: (message: MessageView, chat: ChatView) => unknown }>} */
export const messageMenuTop = new Place();
/** Entries of an open chat's own menu. @type {Place<{ label: (chat: ChatView) => string, applies: (chat: ChatView) => boolean, act: (chat: ChatView) => void }>} */
export const chatMenu = new Place();
/** What stands between the head of an open chat and its messages. @type {Place<{ draw: (chat: ChatView) => unknown }>} */
export const chatTop = new Place();
/** What stands in a bubble above its text. @type {Place<{ draw: (message: MessageView, chat: ChatView) => unknown }>} */
export const bubbleTop = new Place();
/**
 * What stands in a bubble in place of its text, or `null`; strangers' messages are shown as text.
 *
 * @type {Place<{ draw: (message: MessageView, chat: ChatView) => unknown }>}
 */
export const bubbleInstead = new Place();
/** What stands in a bubble below its text. @type {Place<{ draw: (message: MessageView, chat: ChatView) => unknown }>} */
export const bubbleParts = new Place();
/** What takes the place of the list of chats for a while. @type {Place<{ draw: () => unknown }>} */
export const listInstead = new Place();
/** What stands above the list of chats. @type {Place<{ draw: () => unknown }>} */
export const listTop = new Place();
/** What stands above the writing field. @type {Place<{ draw: (chat: ChatView) => unknown }>} */
export const composerTop = new Place();
/** Buttons beside the writing field. @type {Place<{ draw: (chat: ChatView) => unknown }>} */
export const composerTools = new Place();
/** Sections of the settings. @type {Place<{ title: () => string, draw: () => unknown }>} */
export const settingsSections = new Place();
/** Sections of a chat's own page. @type {Place<{ draw: (chat: ChatView) => unknown }>} */
export const chatSections = new Place();
/** Quiet cards above the list, each about one thing to do. @type {Place<{ draw: () => unknown }>} */
export const cards = new Place();

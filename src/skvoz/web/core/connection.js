/**
 * The line to the node: calls, and events in order, over one WebSocket that comes back by itself.
 *
 * A call that got no answer before the line broke is made again. Whatever changes something carries a `client_id`,
 * so the node does it once.
 */

import { Signal } from "./signal.js";

/** @typedef {import("../types/api.js").Methods} Methods */
/** @typedef {import("../types/api.js").Events} Events */
/** @typedef {keyof Methods} Method */
/** @typedef {keyof Events} EventKind */
/** @typedef {{ message: string, kind: string, retryable: boolean }} Refusal */
/**
 * @typedef {{ text: string, resolve: (result: any) => void, reject: (why: CallFailed) => void }} Waiting
 */
/** @typedef {"connecting" | "open" | "ended" | "locked"} LineState */
/** @typedef {import("../types/api.js").FileProgressView} FileProgressView */

const RETRY_FIRST_MS = 250;
const RETRY_MOST_MS = 4000;

/** The node refused a call; `kind` is for code, `message` is English and has a translation. */
export class CallFailed extends Error {
  /** @param {Refusal} refusal */
  constructor({ message, kind, retryable }) {
    super(message);
    this.kind = kind;
    this.retryable = retryable;
  }
}

/** @type {Signal<LineState>} `ended`: the session is over, and the page has to be opened anew; `locked`: the home is */
export const line = new Signal(/** @type {LineState} */ ("connecting"));

/** @type {Map<number, Waiting>} */
const waiting = new Map();
/** @type {Map<string, Set<(data: any, sequence: number) => void>>} */
const listeners = new Map();
/** @type {((files: FileProgressView[]) => void)[]} */
const counting = [];
/** @type {((draft: { chat_id: string, text: string }) => void)[]} */
const drafting = [];
/** @type {WebSocket | null} */
let socket = null;
let token = "";
let nextId = 1;
let retryMs = RETRY_FIRST_MS;
let lastEvent = -1;
let isLocked = false;

/**
 * Begin to speak with the node.
 *
 * @param {string} sessionToken
 */
export function connect(sessionToken) {
  token = sessionToken;
  open();
}

/** @returns {string} the token of the session */
export function sessionToken() {
  return token;
}

/**
 * Ask the node; resolves once it answered, however long the line is down.
 *
 * @template {Method} M
 * @param {M} method
 * @param {Methods[M]["params"]} params
 * @returns {Promise<Methods[M]["result"]>}
 */
export function call(method, params) {
  const id = nextId++;
  const text = JSON.stringify({ jsonrpc: "2.0", id, method, params });
  return new Promise((resolve, reject) => {
    waiting.set(id, { text, resolve, reject });
    if (line.value === "open" || line.value === "locked") socket?.send(text);
  });
}

/**
 * Have the node change something, once, whatever happens to the line.
 *
 * @template {Method} M
 * @param {M} method
 * @param {Omit<Methods[M]["params"], "client_id">} fields
 * @returns {Promise<Methods[M]["result"]>}
 */
export function wish(method, fields) {
  const params = { client_id: crypto.randomUUID(), ...fields };
  return call(method, /** @type {Methods[M]["params"]} */ (/** @type {unknown} */ (params)));
}

/**
 * Have the node change something although the page is about to go, and with it the line.
 *
 * @template {Method} M
 * @param {M} method
 * @param {Omit<Methods[M]["params"], "client_id">} fields
 */
export function lastWish(method, fields) {
  const params = { client_id: crypto.randomUUID(), ...fields };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 0, method, params });
  const headers = { authorization: `Bearer ${token}` };
  return fetch("/rpc", { method: "POST", body, headers, keepalive: true }).catch(() => {});
}

/**
 * Hear of every event of a kind from now on, until the returned function is called.
 *
 * @template {EventKind} K
 * @param {K} kind
 * @param {(data: Events[K], sequence: number) => void} listener
 * @returns {() => void}
 */
export function on(kind, listener) {
  const known = listeners.get(kind) ?? new Set();
  known.add(listener);
  listeners.set(kind, known);
  return () => known.delete(listener);
}

/**
 * Hear how far files have come; what was missed is not told again.
 *
 * @param {(files: FileProgressView[]) => void} listener
 */
export function onProgress(listener) {
  counting.push(listener);
}

/**
 * Hear what is begun in chats, in this tab or another; what was missed is not told again.
 *
 * @param {(draft: { chat_id: string, text: string }) => void} listener
 */
export function onDraft(listener) {
  drafting.push(listener);
}

/**
 * Have events told from the sequence `after` on; missed ones are told once the line is back.
 *
 * @param {number} after
 */
export function listenAfter(after) {
  lastEvent = after;
  if (line.value === "open") subscribe();
}

function open() {
  const opened = new WebSocket(`ws://${location.host}/rpc`, ["skvoz", `token.${token}`]);
  socket = opened;
  opened.onopen = () => {
    if (isLocked) return location.reload();
    retryMs = RETRY_FIRST_MS;
    line.value = "open";
    if (lastEvent >= 0) subscribe();
    for (const { text } of waiting.values()) opened.send(text);
  };
  opened.onmessage = ({ data }) => take(JSON.parse(data));
  opened.onclose = () => void lost();
}

async function lost() {
  socket = null;
  if (line.value === "ended") return;
  line.value = "connecting";
  if (await isRefused()) {
    line.value = "ended";
    return;
  }
  setTimeout(open, retryMs);
  retryMs = Math.min(retryMs * 2, RETRY_MOST_MS);
}

/** A browser does not say why a WebSocket was not opened; the answer to a call does. */
async function isRefused() {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 0, method: "node.status" });
  try {
    const answer = await fetch("/rpc", { method: "POST", body, headers: { authorization: `Bearer ${token}` } });
    return answer.status === 401;
  } catch {
    return false;
  }
}

function subscribe() {
  const id = nextId++;
  const params = { after: lastEvent };
  socket?.send(JSON.stringify({ jsonrpc: "2.0", id, method: "event.subscribe", params }));
  // Refused: the home was made anew, or we were away for longer than events are kept. Read everything anew.
  waiting.set(id, { text: "", resolve: () => {}, reject: () => location.reload() });
}

/** The home was locked: what the page knows of it goes, and what was asked is asked again once it is open. */
function locked() {
  if (isLocked) return;
  if (lastEvent >= 0) return location.reload();
  isLocked = true;
  line.value = "locked";
}

/** @param {any} told */
function take(told) {
  if (told.method === "event") {
    const { sequence, kind, data } = told.params;
    if (sequence <= lastEvent) return;
    lastEvent = sequence;
    for (const listener of listeners.get(kind) ?? []) listener(data, sequence);
    return;
  }
  if (told.method === "progress") {
    for (const listener of counting) listener(told.params.files);
    return;
  }
  if (told.method === "draft") {
    for (const listener of drafting) listener(told.params);
    return;
  }
  const asked = waiting.get(told.id);
  if (!asked) return;
  waiting.delete(told.id);
  if (told.error?.data.kind === "locked") locked();
  else if (told.error) asked.reject(new CallFailed({ message: told.error.message, ...told.error.data }));
  else asked.resolve(told.result);
}

/** Handing a file to the node, which seals it into the home. The browser reads it from the disk as it goes. */

import { CallFailed, sessionToken } from "../core/connection.js";
import { say } from "../core/texts.js";

/** @typedef {{ done: Promise<string>, stop: () => void }} HandOver `done`: the file's id */

/**
 * @param {Blob} content
 * @param {string} name
 * @param {string} type
 * @param {(part: number) => void} told how much is over, of one
 * @param {string} [attached] the id of one that the node knows of already
 * @returns {HandOver}
 */
export function handOver(content, name, type, told, attached = "") {
  // `fetch` does not tell how far it has come with what it sends.
  const request = new XMLHttpRequest();
  /** @type {Promise<string>} */
  const done = new Promise((resolve, reject) => {
    request.upload.onprogress = ({ loaded, total }) => told(total ? loaded / total : 1);
    request.onload = () => {
      if (request.status === 200) resolve(JSON.parse(request.responseText).file_id);
      else reject(refusal(request.responseText));
    };
    request.onerror = () => reject(new Error(say("It could not be read, or your node did not answer.")));
    request.onabort = () => reject(new DOMException("", "AbortError"));
  });
  const file_id = Array.from(atob(attached), (letter) => letter.charCodeAt(0).toString(16).padStart(2, "0")).join("");
  request.open("POST", `/files?${new URLSearchParams({ name, type, file_id })}`);
  request.setRequestHeader("authorization", `Bearer ${sessionToken()}`);
  request.send(content);
  return { done, stop: () => request.abort() };
}

/** @param {string} answer */
function refusal(answer) {
  try {
    const { message, data } = JSON.parse(answer);
    return new CallFailed({ message, ...data });
  } catch {
    return new Error(say("Your node did not take it."));
  }
}

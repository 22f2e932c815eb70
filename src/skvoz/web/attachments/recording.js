/** Voice messages: recorded here, with how loud they are over time, and attached like any other file. */

import { html, nothing } from "../vendor/lit.js";
import { announce, tell } from "../core/announce.js";
import { icons } from "../core/icons.js";
import { composerTools, composerTop } from "../core/places.js";
import { route } from "../core/router.js";
import { Signal } from "../core/signal.js";
import { say } from "../core/texts.js";
import { attach, attachments } from "./attached.js";
import { lengthOf } from "./voice.js";

/** @typedef {{ chatId: string, recorder: MediaRecorder, levels: number[], begunMs: number, isKept: boolean }} Recording */

const TYPES = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];
const LOOK_EVERY_MS = 100;
const LENGTH_MS_MAX = 15 * 60_000;
/** Steps of a waveform: as many as can be told apart in a bubble. */
const STEPS = 48;

/** @type {Signal<Recording | null>} */
const recording = new Signal(/** @type {Recording | null} */ (null));
// Whoever leaves the chat does not go on speaking into it.
route.watch(() => end(false));
// The writing field is drawn anew with what is attached.
recording.watch(() => attachments.touch());

/** @param {string} chatId */
async function begin(chatId) {
  if (recording.value) return end(true);
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch {
    tell(say("There is no microphone, or the browser does not let this page hear it."));
    return;
  }
  const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  const recorder = new MediaRecorder(stream, { ...(mimeType && { mimeType }), audioBitsPerSecond: 32_000 });
  /** @type {Recording} */
  const one = { chatId, recorder, levels: [], begunMs: Date.now(), isKept: false };
  /** @type {Blob[]} */
  const pieces = [];
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  const listening = listen(stream, one);
  recorder.onstop = () => {
    listening.stop();
    for (const track of stream.getTracks()) track.stop();
    if (one.isKept) keep(one, pieces);
  };
  recorder.start();
  recording.value = one;
  announce(say("Recording"));
}

/** Look how loud it is, every so often. @param {MediaStream} stream @param {Recording} one */
function listen(stream, one) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Uint8Array(analyser.fftSize);
  const looking = setInterval(() => {
    analyser.getByteTimeDomainData(samples);
    one.levels.push(Math.max(...samples.map((sample) => Math.abs(sample - 128))) * 2);
    if (Date.now() - one.begunMs > LENGTH_MS_MAX) end(true);
    recording.touch();
  }, LOOK_EVERY_MS);
  const stop = () => {
    clearInterval(looking);
    void context.close();
  };
  return { stop };
}

/** @param {boolean} isKept */
function end(isKept) {
  const { value } = recording;
  if (!value) return;
  value.isKept = isKept;
  recording.value = null;
  value.recorder.stop();
}

/** @param {Recording} one @param {Blob[]} pieces */
function keep({ chatId, recorder, levels, begunMs }, pieces) {
  const type = recorder.mimeType.split(";")[0] ?? "";
  const name = `${say("Voice message")}.${type.split("/")[1]}`;
  const perStep = Math.max(1, levels.length / STEPS);
  const waveform = Array.from({ length: Math.min(STEPS, levels.length) }, (_, step) =>
    Math.min(255, Math.max(...levels.slice(Math.floor(step * perStep), Math.ceil((step + 1) * perStep)))),
  );
  attach(chatId, [new File(pieces, name, { type })], { durationMs: Date.now() - begunMs, waveform });
}

composerTools.add({
  order: 20,
  draw: ({ chat_id }) => {
    if (!navigator.mediaDevices || !("MediaRecorder" in globalThis)) return nothing;
    const isOn = recording.value !== null;
    const label = say("Record a voice message");
    return html`
      <button type="button" class="icon-button record" aria-label=${label} title=${label} aria-pressed=${isOn} @click=${() => begin(chat_id)}>${icons.microphone}</button>
    `;
  },
});

composerTop.add({
  order: 30,
  draw: ({ chat_id }) => {
    const { value } = recording;
    if (value?.chatId !== chat_id) return nothing;
    return html`
      <div class="recording">
        <span class="grows"><span class="recording-mark" aria-hidden="true"></span> ${say("Recording")} <span role="timer">${lengthOf(Date.now() - value.begunMs)}</span></span>
        <button type="button" class="button" @click=${() => end(false)}>${say("Throw away")}</button>
        <button type="button" class="main-button" @click=${() => end(true)}>${say("Done")}</button>
      </div>
    `;
  },
});

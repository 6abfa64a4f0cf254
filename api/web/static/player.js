// Plays a recording from a moment on, with what was said and written around it, and its time line.

import { ask, clock, element, text } from "./api.js";

const AROUND_MS = 45_000;
const find = (id) => document.getElementById(id);
const video = find("video");
const known = new Map();

let shown = null;
let part = null;

/** The moment being shown: {recording, start, end, part, session, quote}, or null. */
export const current = () => shown;

/** Show a moment and, where media is held, play from its first millisecond. */
export async function show(moment, play = true) {
  shown = moment;
  find("player").classList.add("playing");
  find("player-hint").hidden = true;
  find("player-body").hidden = false;
  find("now-session").textContent = moment.session;
  const recording = await lookUp(moment.recording);
  if (shown !== moment) return;
  drawLanes(recording);
  await Promise.all([play ? go(moment.start) : place(moment.start), showAround(moment)]);
}

/** Play the current recording from a millisecond of its time line. */
export async function go(recordingMs) {
  if (await place(recordingMs)) await video.play().catch((error) => { if (error.name === "NotAllowedError") video.focus(); });
}

/** Play or pause. */
export function toggle() {
  if (!shown || !part) return;
  if (video.paused) video.play().catch(() => {}); else video.pause();
}

/** Forward or back. */
export function step(ms) {
  if (part) video.currentTime = Math.max(0, video.currentTime + ms / 1000);
}

/** Where the player stands on the recording's time line, in ms. */
export const now = () => (part ? part.start_ms + video.currentTime * 1000 : shown?.start ?? 0);

async function place(recordingMs) {
  const { held } = await lookUp(shown.recording);
  const wanted = held.part_list.find((one) => one.start_ms <= recordingMs && recordingMs < one.end_ms);
  video.hidden = !wanted;
  notice(held.media_held ? "" : text("player_no_media"));
  if (!wanted) {
    part = null;
    video.pause();
    drawHead(recordingMs);
    return false;
  }
  const address = `/v1/recordings/${encodeURIComponent(shown.recording)}/parts/${wanted.number}/media`;
  part = wanted;
  if (video.getAttribute("src") !== address) {
    notice(text("preparing"));
    video.src = address;
    await new Promise((done) => {
      video.addEventListener("loadedmetadata", () => { notice(""); done(); }, { once: true });
      video.addEventListener("error", done, { once: true });
    });
  }
  if (video.error) return false;
  video.currentTime = (recordingMs - wanted.start_ms) / 1000;
  return true;
}

video.addEventListener("error", async () => {
  const response = await fetch(video.src, { headers: { range: "bytes=0-0" } }).catch(() => null);
  const problem = response && !response.ok ? await response.json().catch(() => null) : null;
  notice(text("player_failed", { detail: problem?.detail ?? video.error?.message ?? "" }));
});

video.addEventListener("ended", () => {
  if (!part) return;
  lookUp(shown.recording).then(({ held }) => {
    const next = held.part_list.find((one) => one.number === part.number + 1);
    if (next) go(next.start_ms);
  });
});

video.addEventListener("timeupdate", () => {
  const ms = now();
  find("now-time").textContent = clock(ms);
  drawHead(ms);
  for (const line of find("around").querySelectorAll(".said")) {
    const heard = Number(line.dataset.start) <= ms + 50 && ms < Number(line.dataset.end);
    if (heard && line.getAttribute("aria-current") !== "true") keepInView(line);
    line.setAttribute("aria-current", String(heard));
  }
});

function keepInView(line) {
  const list = find("around");
  list.scrollTo({ top: line.offsetTop - list.offsetTop - list.clientHeight / 2 + line.clientHeight / 2 });
}

function notice(said) {
  find("player-notice").textContent = said;
  find("player-notice").hidden = !said;
}

async function lookUp(id) {
  if (!known.has(id)) {
    const at = `/v1/recordings/${encodeURIComponent(id)}`;
    const asked = Promise.all([ask(at), ask(`${at}/coverage`)]).then(([held, coverage]) => ({ held, coverage }));
    asked.catch(() => known.delete(id));
    known.set(id, asked);
  }
  return known.get(id);
}

async function showAround(moment) {
  const at = `/v1/recordings/${encodeURIComponent(moment.recording)}`;
  const span = `from_ms=${Math.max(0, moment.start - AROUND_MS)}&to_ms=${moment.end + AROUND_MS}`;
  const [said, chat] = await Promise.all([ask(`${at}/transcript?${span}`), ask(`${at}/chat?${span}`)]);
  if (shown !== moment) return;
  const lines = [
    ...said.segments.map((segment) => ({ at: segment.start_ms, row: saidRow(segment, moment) })),
    ...chat.messages.filter((message) => message.text).map((message) => ({ at: message.at_ms, row: chatRow(message) })),
  ].sort((one, other) => one.at - other.at);
  find("around").replaceChildren(...lines.map((line) => line.row));
  const quoted = find("around").querySelector(".quoted");
  if (quoted) keepInView(quoted);
}

function saidRow(segment, moment) {
  const button = element("button", { type: "button" }, element("time", {}, clock(segment.start_ms)), element("span", {}, segment.text));
  if (segment.speaker) button.append(element("small", { class: "reading voice" }, text("voice", { number: segment.speaker })));
  if (segment.text_simplified) button.append(element("small", { class: "reading", title: text("simplified") }, segment.text_simplified));
  if (segment.heard_otherwise !== null) {
    const said = segment.heard_otherwise ? text("heard_otherwise", { text: segment.heard_otherwise }) : text("heard_nothing");
    button.append(element("small", { class: "reading other" }, said));
  }
  if (segment.edit) button.append(element("small", { class: "reading" }, text("edited_line", segment.edit)));
  button.addEventListener("click", () => go(segment.start_ms));
  const quoted = segment.start_ms < moment.end && segment.end_ms > moment.start;
  const kinds = ["said", quoted && "quoted", segment.risk.some((risk) => risk !== "edited_by_hand") && "doubtful"].filter(Boolean).join(" ");
  return element("li", { class: kinds, "data-start": segment.start_ms, "data-end": segment.end_ms }, button);
}

function chatRow(message) {
  const author = element("b", {}, message.author ?? text("viewer"));
  return element("li", { class: "chat" }, element("time", {}, clock(message.at_ms)), element("span", {}, author, message.text));
}

function drawLanes({ coverage }) {
  const length = Math.max(coverage.duration_ms, 1);
  const bar = (kind, [start, end], y, height, least = 1) =>
    element("svg:rect", { class: kind, x: (1000 * start) / length, width: Math.max((1000 * (end - start)) / length, least), y, height });
  const recorded = coverage.recorded.length ? coverage.recorded : [[0, length]];
  const marks = [...document.querySelectorAll(`.moment[data-recording="${CSS.escape(shown.recording)}"]`)].map((card) => {
    const mark = bar("moment-mark", [Number(card.dataset.start), Number(card.dataset.end)], 0, 10, 5);
    if (Number(card.dataset.start) === shown.start) mark.classList.add("current");
    return mark;
  });
  find("legend-doubtful").hidden = !coverage.doubtful.length;
  find("legend-gap").hidden = !coverage.gaps.length;
  find("lanes").replaceChildren(
    ...recorded.map((span) => bar("held", span, 14, 26)),
    ...coverage.speech.map((span) => bar("clear", span, 20, 14)),
    ...coverage.doubtful.map((span) => bar("doubtful", span, 20, 14)),
    ...coverage.gaps.map((span) => bar("gap", span, 14, 26, 3)),
    ...marks,
    element("svg:rect", { class: "head", id: "head", x: 0, y: 10, width: 2.5, height: 36 }),
  );
  find("lanes").dataset.length = length;
  drawHead(shown.start);
}

function drawHead(ms) {
  find("head")?.setAttribute("x", Math.min(997, (1000 * ms) / Number(find("lanes").dataset.length || 1)));
}

find("lanes").addEventListener("click", (event) => {
  const box = find("lanes").getBoundingClientRect();
  if (shown) go(Math.round(((event.clientX - box.left) / box.width) * Number(find("lanes").dataset.length)));
});

// The page: asking without leaving it, choosing moments by key or pointer, light and dark.

import { askPage, element, text } from "./api.js";
import { openCase, openClip } from "./filing.js";
import { current, show, step, toggle } from "./player.js";

const find = (id) => document.getElementById(id);
const narrow = matchMedia("(max-width: 62rem)");
const form = find("ask");
let asking = null;

const cards = () => [...document.querySelectorAll(".moment")];
const nearestCard = () => document.activeElement?.closest?.(".moment") ?? document.querySelector('.moment[aria-current="true"]') ?? cards()[0];

function momentOf(card) {
  const { recording, start, end, session, quote } = card.dataset;
  return { recording, start: Number(start), end: Number(end), session, quote };
}

async function choose(card, what = "play") {
  if (!card) return;
  const player = find("player");
  if (narrow.matches) { if (!card.contains(player)) card.append(player); } else if (player.parentElement !== find("desk")) find("desk").append(player);
  for (const other of cards()) other.setAttribute("aria-current", String(other === card));
  const same = current()?.recording === card.dataset.recording && current()?.start === Number(card.dataset.start);
  try {
    if (what === "play" || !same) await show(momentOf(card), what === "play");
    if (narrow.matches && what === "play") (find("video").hidden ? player : find("video")).scrollIntoView({ block: "center" });
    if (what === "clip") openClip();
    if (what === "case") await openCase();
  } catch (error) {
    find("player-notice").textContent = text("failed", { detail: error.message });
    find("player-notice").hidden = false;
  }
}

function query() {
  const filled = [...new FormData(form)].filter(([, value]) => value.trim());
  return new URLSearchParams(filled).toString();
}

async function submit(remember = true) {
  asking?.abort();
  asking = new AbortController();
  const answer = find("answer");
  const asked = query();
  find("desk").append(find("player"));
  find("desk").hidden = false;
  find("held")?.remove();
  find("ask-section").classList.add("compact");
  answer.setAttribute("aria-busy", "true");
  if (!answer.children.length) answer.replaceChildren(element("p", { class: "minor" }, text("searching")));
  try {
    // Made by our own templates, which escape every value.
    const html = await askPage(`/moments?${asked}`, asking.signal);
    answer.replaceChildren(document.createRange().createContextualFragment(html));
    if (remember) history.pushState({}, "", `/?${asked}`);
    document.title = `${find("question").value} · LiveProof`;
    dress();
    answer.querySelector(".tally")?.focus({ preventScroll: true });
    ready();
  } catch (error) {
    if (error.name === "AbortError") return;
    answer.replaceChildren(element("div", { class: "verdict trouble", role: "alert" }, element("h2", {}, text("trouble")), element("p", {}, error.message)));
  } finally {
    answer.setAttribute("aria-busy", "false");
  }
}

/** Beside the answer there is room for its best moment, standing at its second. */
function ready() {
  if (!narrow.matches && document.querySelector(".moments:not(.faint) .moment")) choose(cards()[0], "place");
}

/** Wall-clock times in the reader's own zone, which is named. */
function dress() {
  for (const time of document.querySelectorAll("time[datetime]:not([data-local])")) {
    const moment = new Date(time.dateTime);
    const wanted = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "short" };
    const p = Object.fromEntries(new Intl.DateTimeFormat(document.documentElement.lang, wanted).formatToParts(moment).map(({ type, value }) => [type, value]));
    const seconds = "seconds" in time.dataset ? `:${p.second}` : "";
    time.textContent = `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}${seconds} ${p.timeZoneName}`;
    time.dataset.local = "";
  }
  const language = find("language");
  const address = new URL(location.href);
  address.searchParams.set("lang", language.hreflang.slice(0, 2));
  language.href = address.search;
}

form.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
form.addEventListener("change", (event) => { if (event.target.matches("select, [type=checkbox]") && find("question").value.trim()) submit(); });
addEventListener("popstate", () => location.reload());

find("answer").addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) choose(button.closest(".moment"), button.dataset.do);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || find("keys").open) return;
  const typing = event.target.matches("input, textarea, select");
  if (event.key === "Escape" && typing) { event.target.blur(); return; }
  if (typing) return;
  const all = cards();
  const at = all.indexOf(nearestCard());
  const on = event.target.closest?.(".moment");
  const keys = {
    "/": () => find("question").select(),
    "?": () => find("keys").showModal(),
    ArrowDown: () => all[on ? Math.min(at + 1, all.length - 1) : 0]?.focus(),
    ArrowUp: () => all[Math.max(at - 1, 0)]?.focus(),
    Enter: () => choose(on),
    k: toggle, j: () => step(-5000), l: () => step(5000),
    c: () => choose(nearestCard(), "clip"), a: () => choose(nearestCard(), "case"),
  };
  const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act || (event.key === "Enter" && event.target !== on) || (event.key.startsWith("Arrow") && event.target.closest("#player"))) return;
  event.preventDefault();
  act();
});

find("keys-open").addEventListener("click", () => find("keys").showModal());
find("theme").addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", document.documentElement.dataset.theme);
});
const theme = localStorage.getItem("theme");
if (theme) document.documentElement.dataset.theme = theme;
dress();
ready();

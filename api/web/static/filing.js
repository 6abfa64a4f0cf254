// Cutting a clip of the shown moment, and filing it: case, evidence package, verification.

import { ask, clock, element, milliseconds, text } from "./api.js";
import { current } from "./player.js";

const MARGIN_MS = 1500;
const find = (id) => document.getElementById(id);
const clipForm = find("clip-form");
const caseForm = find("case-form");

/** Open the clip form for the shown moment, a little wider than the words. */
export function openClip() {
  const moment = current();
  clipForm.hidden = false;
  clipForm.elements.from.value = clock(Math.max(0, moment.start - MARGIN_MS));
  clipForm.elements.to.value = clock(moment.end + MARGIN_MS);
  report(clipForm.querySelector(".outcome"));
  reveal(clipForm, clipForm.elements.from);
}

/** Open the case form for the shown moment. */
export async function openCase() {
  const moment = current();
  caseForm.hidden = false;
  report(caseForm.querySelector(".outcome"));
  const select = caseForm.elements.case;
  const chosen = select.value || sessionStorage.getItem("case") || "";
  const { cases } = await ask("/v1/cases");
  select.replaceChildren(select.options[0], ...cases.map((one) => element("option", { value: one.case }, `${one.case} · ${one.title}`)));
  select.value = cases.some((one) => one.case === chosen) ? chosen : "";
  if (!caseForm.elements.title.value) caseForm.elements.title.value = moment.quote.slice(0, 40);
  const question = document.getElementById("question").value;
  if (!caseForm.elements.complaint.value) caseForm.elements.complaint.value = question;
  showNewCase();
  reveal(caseForm, select);
}

function showNewCase() {
  find("new-case").hidden = Boolean(caseForm.elements.case.value);
  find("package").hidden = !caseForm.elements.case.value;
}

function reveal(form, field) {
  const player = find("player");
  // Beside the answer the player scrolls by itself; inside a card the page does.
  if (player.scrollHeight > player.clientHeight) player.scrollTop = form.offsetTop - player.clientHeight / 3;
  else form.scrollIntoView({ block: "nearest" });
  field.focus({ preventScroll: true });
}

function report(box, kind = "", ...content) {
  box.className = `outcome ${kind}`;
  box.replaceChildren(...content);
}

/** Run one slow thing: the button waits, what it says goes into the box, and so does what went wrong. */
async function doing(button, box, waiting, work) {
  button.disabled = true;
  report(box, "", waiting);
  try {
    report(box, "good", ...(await work()));
  } catch (error) {
    report(box, "bad", text("failed", { detail: error.message }));
  } finally {
    button.disabled = false;
  }
}

/** Checks carry their titles as “中文 / English”. */
const own = (title) => title.split(" / ")[document.documentElement.lang === "en" ? 1 : 0] ?? title;

const size = (bytes) => (bytes < 1 << 20 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / (1 << 20)).toFixed(1)} MiB`);

clipForm.addEventListener("submit", (event) => {
  event.preventDefault();
  const span = { recording: current().recording, from_ms: milliseconds(clipForm.elements.from.value), to_ms: milliseconds(clipForm.elements.to.value) };
  doing(clipForm.querySelector("button"), clipForm.querySelector(".outcome"), text("clip_cutting"), async () => {
    const clip = await ask("/v1/clips", span);
    const files = Object.entries(clip.files).map(([kind, file]) =>
      element("li", {}, element("a", { href: file.download, download: file.name }, text(`clip.${kind}`)), ` ${size(file.bytes)}`));
    return [text("clip_ready"), element("ul", {}, ...files)];
  });
});

caseForm.elements.case.addEventListener("change", showNewCase);

caseForm.addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = caseForm.elements;
  const moment = current();
  doing(caseForm.querySelector("button.primary"), caseForm.querySelector(".outcome"), "…", async () => {
    let id = fields.case.value;
    if (!id) {
      const opened = await ask("/v1/cases", {
        title: fields.title.value.trim() || moment.quote.slice(0, 40),
        complaint: fields.complaint.value.trim(),
        demand: fields.demand.value.trim() || null,
        order: fields.order_id.value.trim() ? { order_id: fields.order_id.value.trim() } : {},
      });
      id = opened.case;
      fields.case.append(element("option", { value: id }, `${id} · ${opened.title}`));
      fields.case.value = id;
    }
    await ask(`/v1/cases/${encodeURIComponent(id)}/moments`, {
      recording: moment.recording, start_ms: moment.start, end_ms: moment.end, purpose: fields.purpose.value.trim(),
    });
    sessionStorage.setItem("case", id);
    showNewCase();
    const { moments } = await ask(`/v1/cases/${encodeURIComponent(id)}`);
    return [text("case_added", { case: id, count: moments.length })];
  });
});

find("package-build").addEventListener("click", () => {
  const id = caseForm.elements.case.value;
  doing(find("package-build"), find("package").querySelector(".outcome"), text("package_building"), async () => {
    const built = await ask(`/v1/cases/${encodeURIComponent(id)}/packages`, {});
    const verified = await ask(built.verification);
    const passed = verified.checks.filter((check) => check.passed).length;
    const checks = verified.checks.map((check) => {
      const mark = check.passed ? "✓" : check.passed === null ? "–" : "✗";
      const aside = check.passed === null ? ` (${text("unchecked")})` : "";
      const detail = document.documentElement.lang === "en" ? check.detail : check.detail_zh || check.detail;
      return element("li", { class: check.passed === false && "no" }, `${mark} ${own(check.title)}${aside}${detail ? ` · ${detail}` : ""}`);
    });
    return [
      element("b", {}, text("package_ready")), " · ",
      element("a", { href: built.download, download: true }, text("package_download")), ` ${size(built.bytes)}`,
      element("details", { open: !verified.passed },
        element("summary", { class: !verified.passed && "no" }, verified.passed ? text("verified", { count: passed }) : text("not_verified")),
        element("ul", {}, ...checks)),
    ];
  });
});

// Requests to LiveProof, with problems as errors that a person can read.

const texts = JSON.parse(document.getElementById("texts").textContent);

/** The page's text for a key, with its values filled in. */
export function text(key, values = {}) {
  return (texts[`page.${key}`] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Fetch JSON. Throws an Error whose message is the problem's detail and how to mend it. */
export async function ask(path, body) {
  const options = body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await reach(path, options);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error([answer.title, answer.detail, answer.mend].filter(Boolean).join(" · ") || `${response.status}`);
  return answer;
}

/** Fetch a piece of HTML. */
export async function askPage(path, signal) {
  const response = await reach(path, { signal });
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new Error(problem.detail ?? `${response.status}`);
  }
  return response.text();
}

async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(text("offline"));
  }
}

/** An element with attributes and children; text is never read as markup. */
export function element(tag, attributes = {}, ...children) {
  const made = tag.startsWith("svg:") ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  made.append(...children);
  return made;
}

/** `1:13.5` of milliseconds. */
export function clock(ms) {
  const tenths = Math.max(0, Math.floor(ms / 100));
  const [hours, minutes, seconds] = [Math.floor(tenths / 36000), Math.floor(tenths / 600) % 60, Math.floor(tenths / 10) % 60];
  const rest = `${String(seconds).padStart(2, "0")}.${tenths % 10}`;
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** Milliseconds of `1:13.5`, `1:02:03` or `73.5`; NaN for anything else. */
export function milliseconds(written) {
  const match = /^(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)$/.exec(written.trim());
  return match ? Math.round(((Number(match[1] ?? 0) * 60 + Number(match[2] ?? 0)) * 60 + Number(match[3])) * 1000) : NaN;
}

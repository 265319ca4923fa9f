// Keeps a page up to date in place, and sends what people change. Nothing that somebody is typing is ever taken away.
"use strict";

const FIELDS = "input, textarea, select";
const OURS = ["open", "data-fresh", "data-was", "data-sending", "data-refused", "aria-expanded"];

// --- in place: what the server sends is laid over what is shown (idiomorph) ---------------------------------------------

function busy(field) {
  return field === document.activeElement || field.matches("[data-sending], [data-refused]") || field.closest("form");
}

const before = new WeakMap();

Object.assign(Idiomorph.defaults.callbacks, {
  beforeNodeMorphed(from) {
    if (from.nodeType !== 1) return true;
    if (from.matches("[data-keep], dialog[open]") || (from.matches(FIELDS) && busy(from))) return false;
    if (from.matches("[data-mark]")) before.set(from, said(from));
    return true;
  },
  afterNodeMorphed(from) {
    if (from.nodeType !== 1) return;
    if (from.matches("[data-url]")) prepareField(from);
    if (before.has(from) && said(from) !== before.get(from)) freshen(from);
    before.delete(from);
  },
  afterNodeAdded(node) {
    if (node.nodeType !== 1) return;
    prepare(node);
    if (node.matches("[data-mark]")) freshen(node);
  },
  beforeNodeRemoved(node) {
    return !(node.nodeType === 1 && node.contains(document.activeElement) && document.activeElement.matches(FIELDS));
  },
  beforeAttributeUpdated(name) {
    return !OURS.includes(name);
  },
});

// What a row says, its fields included, so that only true changes light up.
function said(element) {
  const fields = [...element.querySelectorAll(FIELDS)].map((f) => (f.type === "checkbox" ? f.checked : f.value));
  const text = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let words = "";
  while (text.nextNode()) if (!text.currentNode.parentNode.closest("time, option")) words += text.currentNode.data.trim();
  return words + JSON.stringify(fields);
}

function freshen(element) {
  element.removeAttribute("data-fresh");
  void element.offsetWidth;
  element.setAttribute("data-fresh", "");
  setTimeout(() => element.removeAttribute("data-fresh"), 2500);
}

// --- following: the server says when something changed (server-sent events) ---------------------------------------------

function pulse(lost) {
  const shown = document.querySelector("[data-pulse]");
  if (!shown) return;
  shown.hidden = false;
  shown.classList.toggle("lost", lost);
  shown.lastElementChild.textContent = lost ? "offline" : "live";
}

document.addEventListener("htmx:sseOpen", () => pulse(false));
document.addEventListener("htmx:sseError", () => pulse(true));
document.addEventListener("htmx:sseMessage", () => {
  ago();
  htmx.trigger(document.body, "changed");
});
document.addEventListener("htmx:responseError", (event) => toast(refusal(event.detail.xhr.responseText, event.detail.xhr.status)));
document.addEventListener("htmx:sendError", () => toast("The server cannot be reached; nothing was changed."));
document.addEventListener("htmx:afterSettle", ago);

function ago() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time.dateTime)) / 1000));
    const words = inWords(seconds);
    if (time.textContent !== words) time.textContent = words;
    if (!time.title) time.title = new Date(time.dateTime).toLocaleString();
  }
}

function inWords(seconds) {
  if (seconds < 3) return "just now";
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86400)} days ago`;
}

// --- changing -----------------------------------------------------------------------------------------------------------

async function ask(method, url, body, more = {}) {
  const headers = { "content-type": "application/json", ...more };
  const answer = await fetch(url, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(refusal(await answer.text(), answer.status));
  return answer;
}

// A refusal of the server in words; it may come from something between us and it.
function refusal(text, status) {
  try {
    const { code, detail, reasons } = JSON.parse(text);
    return code === "refused_by_gate" ? [detail, ...reasons].join(" ") : detail || `The answer was ${status}.`;
  } catch {
    return `The answer was ${status}.`;
  }
}

function nested(path, value) {
  const [group, ...rest] = path.split(".");
  return rest.length ? { [group]: { [rest.join(".")]: value } } : { [group]: value };
}

function valueOf(field) {
  return field.type === "checkbox" ? (field.checked ? field.dataset.on : field.dataset.off) : field.value;
}

async function save(field) {
  const value = valueOf(field);
  if (field.type !== "checkbox" && field.tagName !== "SELECT" && value === field.dataset.was) return;
  field.setAttribute("data-sending", "");
  field.removeAttribute("data-refused");
  try {
    await ask(field.dataset.method || "PATCH", field.dataset.url, nested(field.dataset.field, value));
    field.dataset.was = value;
  } catch (error) {
    toast(error.message);
    if (field.type === "checkbox") field.checked = !field.checked;
    else if (field.tagName !== "SELECT") field.setAttribute("data-refused", "");
  } finally {
    field.removeAttribute("data-sending");
  }
}

async function press(button, work) {
  button.disabled = true;
  try {
    await work();
    htmx.trigger(document.body, "changed");
  } catch (error) {
    toast(error.message);
  } finally {
    button.disabled = false;
  }
}

let hiding = 0;
function toast(message) {
  const box = document.querySelector(".toast");
  box.textContent = message;
  box.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => (box.hidden = true), 7000);
}

document.addEventListener("change", (event) => {
  if (event.target.dataset && event.target.dataset.url) save(event.target);
});

document.addEventListener("keydown", (event) => {
  const field = event.target;
  if (!field.matches || !field.matches("[data-url]") || !field.matches("input, textarea")) return;
  if (event.key === "Enter" && field.type !== "checkbox" && !(event.shiftKey || "lines" in field.dataset)) {
    event.preventDefault();
    field.blur();
  } else if (event.key === "Escape" && "was" in field.dataset) {
    field.value = field.dataset.was;
    field.removeAttribute("data-refused");
    field.blur();
  }
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-post]");
  if (button) press(button, () => ask("POST", button.dataset.post, JSON.parse(button.dataset.body || "{}")));
});

const WAYS = { add: "POST", put: "PUT", patch: "PATCH" };

document.addEventListener("submit", (event) => {
  const form = event.target;
  const way = Object.keys(WAYS).find((name) => form.dataset[name]);
  if (!way) return;
  event.preventDefault();
  press(form.querySelector("[type=submit]"), async () => {
    await ask(WAYS[way], form.dataset[way], Object.fromEntries(new FormData(form)));
    if (way === "add") form.reset();
    form.closest("details")?.removeAttribute("open");
    form.closest("dialog")?.close();
  });
});

// Text areas grow with their text where the browser does not do it by itself.
function fit(field) {
  if (field.tagName !== "TEXTAREA" || CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

document.addEventListener("input", (event) => fit(event.target));

function prepareField(field) {
  if (field.matches("input:not([type=checkbox]), textarea")) field.dataset.was = field.value;
  fit(field);
}

function prepare(root) {
  for (const field of root.querySelectorAll("[data-url]")) prepareField(field);
}

if (self !== top) document.documentElement.classList.add("framed");
prepare(document);
ago();
setInterval(ago, 1000);

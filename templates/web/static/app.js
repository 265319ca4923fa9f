// Keeps a page up to date in place, and sends what people change. Nothing that somebody is typing is ever taken away.
"use strict";

const POLL_MS = 1000;
const GATE_MS = 4000;

// --- in place: make one tree like another -----------------------------------------------------------------------------

const FIELDS = "input, textarea, select";

function busy(element) {
  return element === document.activeElement || element.hasAttribute("data-sending") || element.hasAttribute("data-refused");
}

function keyOf(node) {
  return node.nodeType === 1 ? node.id || null : null;
}

function morph(from, to) {
  if (from.nodeType === 3) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  if (from.nodeType !== 1 || from.hasAttribute("data-keep")) return;
  if (from.matches(FIELDS)) return morphField(from, to);
  if (from.matches("time[data-ago]") && from.dateTime === to.dateTime) return;
  morphAttributes(from, to);
  morphChildren(from, to);
}

function morphAttributes(from, to) {
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && name !== "open" && name !== "data-fresh") from.removeAttribute(name);
  }
}

function morphField(from, to) {
  if (busy(from) || from.closest("form")) return;
  morphAttributes(from, to);
  if (from.type === "checkbox") from.checked = to.hasAttribute("checked");
  else if (from.tagName === "SELECT") {
    morphChildren(from, to);
    from.value = (to.querySelector("option[selected]") || to.options[0] || {}).value;
  } else {
    const value = from.tagName === "TEXTAREA" ? to.textContent : to.getAttribute("value") || "";
    if (from.value !== value) from.value = value;
    from.dataset.was = value;
    fit(from);
  }
}

function morphChildren(from, to) {
  const known = new Map([...from.childNodes].filter(keyOf).map((node) => [node.id, node]));
  let next = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const key = keyOf(wanted);
    let match = key ? known.get(key) : alike(next, wanted) ? next : null;
    if (match) {
      if (match === next) next = next.nextSibling;
      else from.insertBefore(match, next);
      const before = match.nodeType === 1 && match.hasAttribute("data-mark") ? said(match) : null;
      morph(match, wanted);
      if (before !== null && said(match) !== before) freshen(match);
    } else {
      const added = document.importNode(wanted, true);
      from.insertBefore(added, next);
      if (added.nodeType === 1) {
        prepare(added);
        if (added.hasAttribute("data-mark")) freshen(added);
      }
    }
  }
  while (next) {
    const after = next.nextSibling;
    if (!(next.nodeType === 1 && next.contains(document.activeElement))) next.remove();
    next = after;
  }
}

function alike(node, wanted) {
  return node && !keyOf(node) && node.nodeType === wanted.nodeType && node.nodeName === wanted.nodeName;
}

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

// --- following ----------------------------------------------------------------------------------------------------------

let seen = null;

async function follow(live) {
  const pulse = document.querySelector("[data-pulse]");
  try {
    const answer = await fetch(live.dataset.live, { headers: { accept: "text/html" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const html = await answer.text();
    if (pulse) pulse.classList.remove("lost");
    if (html === seen) return;
    seen = html;
    const parsed = new DOMParser().parseFromString(html, "text/html");
    const source = live.dataset.select ? parsed.querySelector(live.dataset.select) : parsed.body;
    morphChildren(live, source);
  } catch {
    if (pulse) pulse.classList.add("lost");
  }
  ago();
}

function again(work, pause) {
  const turn = async () => {
    if (!document.hidden) await work();
    setTimeout(turn, pause);
  };
  setTimeout(turn, pause);
}

async function gate() {
  const source = document.querySelector("[data-gate]");
  const target = document.getElementById("gate");
  if (!source || !target) return;
  const answer = await fetch(source.dataset.gate).catch(() => null);
  if (answer && answer.ok) {
    const html = await answer.text();
    if (html !== target.dataset.seen) target.innerHTML = html;
    target.dataset.seen = html;
  }
}

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

async function send(method, url, body) {
  const answer = await fetch(url, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  if (answer.ok) return;
  const said = await answer.json().catch(() => ({}));
  const error = said.error || { message: `The answer was ${answer.status}.` };
  const reasons = (error.reasons || []).join(" ");
  throw new Error([error.message, reasons].filter(Boolean).join(" "));
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
    await send(field.dataset.method || "PATCH", field.dataset.url, nested(field.dataset.field, value));
    field.dataset.was = value;
  } catch (error) {
    toast(error.message);
    if (field.type === "checkbox") field.checked = !field.checked;
    else if (field.tagName !== "SELECT") field.setAttribute("data-refused", "");
  } finally {
    field.removeAttribute("data-sending");
    refresh();
  }
}

async function press(button, work) {
  button.disabled = true;
  try {
    await work();
  } catch (error) {
    toast(error.message);
  } finally {
    button.disabled = false;
    refresh();
  }
}

function refresh() {
  seen = null;
  const live = document.querySelector("[data-live]");
  if (live) follow(live);
  gate();
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
  if (event.key === "Enter" && field.type !== "checkbox") {
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
  if (button) press(button, () => send("POST", button.dataset.post, JSON.parse(button.dataset.body || "{}")));
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  const url = form.dataset.add || form.dataset.put;
  if (!url) return;
  event.preventDefault();
  const values = Object.fromEntries(new FormData(form));
  press(form.querySelector("[type=submit]"), async () => {
    await send(form.dataset.add ? "POST" : "PUT", url, values);
    if (form.dataset.add) form.reset();
    else form.closest("details").open = false;
  });
});

// Text areas grow with their text where the browser does not do it by itself.
function fit(field) {
  if (field.tagName !== "TEXTAREA" || CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

document.addEventListener("input", (event) => fit(event.target));

function prepare(root) {
  for (const field of root.querySelectorAll("[data-url]")) {
    if (field.matches("input:not([type=checkbox]), textarea")) field.dataset.was = field.value;
    fit(field);
  }
}

if (self !== top) document.documentElement.classList.add("framed");
prepare(document);
ago();
setInterval(ago, 1000);
const live = document.querySelector("[data-live]");
if (live) again(() => follow(live), POLL_MS);
if (document.querySelector("[data-gate]")) {
  gate();
  again(gate, GATE_MS);
}

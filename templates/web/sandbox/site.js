// One page of the sandbox: typed lines, ticks and menus are sent as a person's edits, and what others change appears by
// itself while nobody is typing.
"use strict";

const page = document.getElementById("page");
const toast = document.getElementById("toast");
const live = document.getElementById("live");
const editor = document.getElementById("editor");
const MARKS = { B: "strong", STRONG: "strong", I: "em", EM: "em", S: "s", STRIKE: "s", DEL: "s", U: "u", CODE: "code" };
let sending = 0;

// --- what a line says ---

function tokens(element) {
  const said = [];
  for (const node of element.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) {
      said.push(node.data.replaceAll("\u00a0", " "));
    } else if (node.nodeName === "BR") {
      said.push("\n");
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      said.push(...element_tokens(node));
    }
  }
  return said;
}

function element_tokens(node) {
  const mark = MARKS[node.nodeName];
  if (node.dataset.index !== undefined) {
    const index = Number(node.dataset.index);
    return [node.dataset.atom === undefined ? { index, content: tokens(node) } : { index }];
  }
  return mark ? [{ mark, content: tokens(node) }] : tokens(node);
}

// The browser leaves a line break behind where all text was deleted.
function line(element) {
  const said = tokens(element);
  return said[said.length - 1] === "\n" ? said.slice(0, -1) : said;
}

const words = (element) => JSON.stringify(line(element));
const empty = (element) => !element.textContent.trim() && !element.querySelector("[data-atom]");

// --- sending ---

function whoEdits() {
  return editor ? editor.value : new URLSearchParams(location.search).get("as") || remembered() || "ada@example.com";
}

function remembered() {
  try {
    return localStorage.getItem("editor");
  } catch {
    return null;
  }
}

async function send(change, typed) {
  sending += 1;
  try {
    const answer = await fetch(`${page.dataset.place}/edit`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ editor: whoEdits(), ...change }),
    });
    if (!answer.ok) tell((await answer.json()).message, typed);
  } catch {
    tell("The sandbox does not answer.", typed);
  } finally {
    sending -= 1;
  }
  await refresh(true);
}

function tell(message, typed) {
  toast.textContent = typed && typed.trim() ? `${message} You typed: ${typed.trim()}` : message;
  toast.hidden = false;
}

toast.addEventListener("click", () => { toast.hidden = true; });

// --- following ---

const focused = () => page.contains(document.activeElement) ? document.activeElement : null;

function typing() {
  if (page.querySelector(".draft")) return true;
  const element = focused();
  if (!element) return false;
  if (element.isContentEditable) return element.before !== undefined && words(element) !== element.before;
  return element.tagName === "SELECT" || (element.tagName === "INPUT" && element.type === "text");
}

async function poll() {
  if (document.hidden || sending) return;
  try {
    const answer = await fetch(`${page.dataset.place}/version`);
    live?.classList.toggle("away", !answer.ok);
    if (answer.ok && (await answer.json()).version !== page.dataset.version && !typing() && !sending) await refresh(false);
  } catch {
    live?.classList.add("away");
  }
}

async function refresh(ours) {
  let text;
  try {
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    text = await answer.text();
  } catch {
    return;
  }
  if (typing() || sending) return;
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const before = new Set([...page.querySelectorAll("[data-at], [data-title]")].map((element) => element.textContent));
  const ticked = new Map([...page.querySelectorAll("[data-tick]")].map((box) => [box.dataset.tick, box.checked]));
  const place = caret();
  page.innerHTML = fresh.getElementById("page").innerHTML;
  page.dataset.version = fresh.getElementById("page").dataset.version;
  document.title = fresh.title;
  putCaret(place);
  if (!ours) glow(before, ticked);
}

function glow(before, ticked) {
  for (const element of page.querySelectorAll("[data-at], [data-title]")) {
    if (!before.has(element.textContent)) element.classList.add("fresh");
  }
  for (const box of page.querySelectorAll("[data-tick]")) {
    if (ticked.has(box.dataset.tick) && ticked.get(box.dataset.tick) !== box.checked) box.parentElement.classList.add("fresh");
  }
}

const editable = () => [...page.querySelectorAll("[contenteditable=true]")];

function caret() {
  const element = focused();
  const at = element ? editable().indexOf(element) : -1;
  if (at < 0) return null;
  const selection = getSelection();
  if (!selection.rangeCount) return { at, offset: 0 };
  const range = selection.getRangeAt(0).cloneRange();
  range.setStart(element, 0);
  return { at, offset: range.toString().length };
}

function putCaret(place) {
  const element = place && editable()[place.at];
  if (!element) return;
  element.focus({ preventScroll: true });
  let left = place.offset;
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (left <= node.length) {
      getSelection().collapse(node, left);
      return;
    }
    left -= node.length;
  }
}

// --- typing in a line ---

page.addEventListener("focusin", ({ target }) => {
  if (target.isContentEditable && !target.closest(".draft")) {
    target.before = words(target);
    target.html = target.innerHTML;
  }
});

page.addEventListener("focusout", ({ target, relatedTarget }) => {
  const draft = target.closest(".draft");
  if (draft) {
    if (!draft.contains(relatedTarget)) saveDraft(draft);
  } else if (target.isContentEditable && target.before !== undefined && words(target) !== target.before) {
    saveLine(target);
  }
});

function saveLine(element) {
  const typed = element.textContent;
  element.before = undefined;
  if (element.dataset.title !== undefined) {
    send({ op: "title", value: typed }, typed);
    return;
  }
  const remove = element.closest("li, .task")?.querySelector(":scope > [data-remove]");
  if (empty(element) && remove && remove.parentElement.querySelectorAll("[data-at]").length === 1) {
    send({ op: "remove", at: remove.dataset.remove, was: remove.dataset.was });
    return;
  }
  send({ op: "text", at: element.dataset.at, was: element.dataset.was, lines: [line(element)] }, typed);
}

page.addEventListener("keydown", (event) => {
  const element = event.target;
  if (event.key === "Enter" && element.tagName === "INPUT") element.blur();
  if (!element.isContentEditable) return;
  if (event.key === "Enter" && !event.isComposing) {
    event.preventDefault();
    if (event.shiftKey && element.dataset.title === undefined) document.execCommand("insertLineBreak");
    else element.blur();
  } else if (event.key === "Escape") {
    undo(element);
  } else if (event.key.toLowerCase() === "x" && event.shiftKey && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    document.execCommand("strikeThrough");
  }
});

function undo(element) {
  const draft = element.closest(".draft");
  if (draft) {
    for (const cell of draft.children) cell.textContent = "";
  } else {
    element.innerHTML = element.html;
    element.before = words(element);
  }
  element.blur();
}

page.addEventListener("paste", (event) => {
  if (!event.target.closest("[contenteditable=true]")) return;
  event.preventDefault();
  document.execCommand("insertText", false, event.clipboardData.getData("text/plain").replace(/\s*\n\s*/g, " "));
});

// --- new lines ---

function draftFor(button) {
  const draft = document.createElement("div");
  draft.className = `draft ${button.dataset.kind}`;
  Object.assign(draft.dataset, { place: button.dataset.add, saw: button.dataset.was });
  for (let column = 0; column < Number(button.dataset.columns); column += 1) {
    const cell = document.createElement("div");
    cell.contentEditable = "true";
    cell.setAttribute("aria-label", "New line");
    draft.append(cell);
  }
  button.before(draft);
  draft.firstChild.focus();
}

function saveDraft(draft) {
  const lines = [...draft.children].map(line);
  const typed = draft.innerText;
  const said = [...draft.children].some((cell) => !empty(cell));
  draft.remove();
  if (said) send({ op: "add", at: draft.dataset.place, was: draft.dataset.saw, lines }, typed);
}

// --- clicks and menus ---

page.addEventListener("click", (event) => {
  const { target } = event;
  const link = target.closest("[contenteditable=true] a[href]");
  if (link && (event.ctrlKey || event.metaKey || link.closest("[contenteditable=true]").before === undefined)) {
    window.open(link.href, "_blank", "noopener,noreferrer");
  } else if (target.dataset.add !== undefined) {
    draftFor(target);
  } else if (target.dataset.remove !== undefined) {
    send({ op: "remove", at: target.dataset.remove, was: target.dataset.was });
  }
});

page.addEventListener("change", ({ target }) => {
  const { tick, status, property, was } = target.dataset;
  if (tick !== undefined) {
    send({ op: "tick", at: tick, checked: target.checked });
  } else if (status !== undefined) {
    target.blur();
    send({ op: "status", at: status, was, value: target.value });
  } else if (property !== undefined) {
    target.blur();
    send({ op: "property", name: property, value: target.value, checked: target.checked === true });
  }
});

if (editor) {
  const known = [...editor.options].map((option) => option.value);
  const wanted = new URLSearchParams(location.search).get("as") || remembered();
  if (known.includes(wanted)) editor.value = wanted;
  editor.addEventListener("change", () => {
    try {
      localStorage.setItem("editor", editor.value);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
  });
}

setInterval(poll, 1000);

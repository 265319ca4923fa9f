// One editor for each section. What is typed is kept in this browser at once, saved when typing stops, and merged with what
// others wrote meanwhile: each save says which text it began with, and the answer says what the section holds now.

const sheet = document.querySelector("[data-write]");
const PREFIX = `syncd draft ${sheet.dataset.write} `;
const PAUSE_MS = 1000; // after the last key
const AGAIN_MS = [2000, 5000, 15000]; // after a save that did not arrive
const ANSWER_MS = 15000;
const KEEPALIVE_BYTES = 60000; // of one request that may outlive its page

// --- drafts: what is not saved yet, in this browser ---------------------------------------------------------------------

const drafts = {
  put(key, draft) {
    try {
      localStorage.setItem(key, JSON.stringify(draft));
      return true;
    } catch {
      return false; // full, or forbidden
    }
  },
  drop(key) {
    try {
      localStorage.removeItem(key);
    } catch {
      // nothing was kept
    }
  },
  all() {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX)).map((key) => [key, localStorage.getItem(key)]);
    } catch {
      return [];
    }
  },
};

function randomName() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// What the server answers to a save. Throws an error with `status`, which is undefined where no answer came.
async function put(url, body, keepalive = false) {
  const text = JSON.stringify(body);
  const answer = await fetch(url, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: text,
    keepalive: keepalive && text.length < KEEPALIVE_BYTES,
    signal: keepalive ? undefined : AbortSignal.timeout(ANSWER_MS),
  });
  if (answer.ok) return answer.json();
  throw Object.assign(new Error(refusal(await answer.text(), answer.status)), { status: answer.status });
}

// --- where the caret goes when the text around it changes ---------------------------------------------------------------

function ends(from, to) {
  const most = Math.min(from.length, to.length);
  let head = 0;
  while (head < most && from[head] === to[head]) head++;
  let tail = 0;
  while (tail < most - head && from[from.length - 1 - tail] === to[to.length - 1 - tail]) tail++;
  return [head, tail];
}

function moved(position, from, to) {
  const [head, tail] = ends(from, to);
  if (position <= head) return position;
  if (position >= from.length - tail) return position + to.length - from.length;
  return head + within(position - head, from.slice(head, from.length - tail), to.slice(head, to.length - tail));
}

// Line by line: the caret stays at its column of its line, or where that line was.
function within(position, from, to) {
  const [old, fresh] = [from.split("\n"), to.split("\n")];
  const above = from.slice(0, position).split("\n");
  const [line, column] = [above.length - 1, above[above.length - 1].length];
  const after = matched(old, fresh)[line];
  const target = after === undefined ? Math.min(line, fresh.length - 1) : after;
  const start = fresh.slice(0, target).reduce((sum, text) => sum + text.length + 1, 0);
  return start + Math.min(column, fresh[target].length);
}

// Which old line is which new one: a longest common subsequence, where that is affordable.
function matched(old, fresh) {
  const found = [];
  if (old.length * fresh.length > 1e6) return found;
  const length = Array.from({ length: old.length + 1 }, () => new Uint32Array(fresh.length + 1));
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = fresh.length - 1; j >= 0; j--) {
      length[i][j] = old[i] === fresh[j] ? length[i + 1][j + 1] + 1 : Math.max(length[i + 1][j], length[i][j + 1]);
    }
  }
  for (let i = 0, j = 0; i < old.length && j < fresh.length; ) {
    if (old[i] === fresh[j]) found[i++] = j++;
    else if (length[i + 1][j] >= length[i][j + 1]) i++;
    else j++;
  }
  return found;
}

// --- an editor ----------------------------------------------------------------------------------------------------------

class Editor {
  constructor(root) {
    this.root = root;
    this.area = root.querySelector("textarea");
    this.area.value = this.area.defaultValue; // not what the browser remembers: drafts do that, with their base
    this.url = root.dataset.section;
    this.id = root.dataset.id;
    this.base = this.area.value; // what the store has of ours
    this.version = root.dataset.version; // of what the store holds, as far as known
    this.key = `${PREFIX}${this.id} ${(this.name = randomName())}`;
    this.sending = this.again = this.composing = false;
    this.failures = this.timer = 0;
    this.uploads = new Map();
    this.listen();
  }

  listen() {
    this.area.addEventListener("input", () => this.typed());
    this.area.addEventListener("blur", () => this.save());
    this.area.addEventListener("compositionstart", () => (this.composing = true));
    this.area.addEventListener("compositionend", () => ((this.composing = false), this.typed()));
    this.area.addEventListener("keydown", (event) => this.pressed(event));
    this.area.addEventListener("paste", (event) => this.files(event, event.clipboardData));
    this.area.addEventListener("drop", (event) => this.files(event, event.dataTransfer));
    this.area.addEventListener("dragover", (event) => event.dataTransfer.types.includes("Files") && event.preventDefault());
    this.root.querySelector("[data-preview]").addEventListener("click", (event) => this.preview(event.currentTarget));
    this.root.querySelector("[data-both]").addEventListener("click", (event) => this.decided(event.target));
    const picker = this.root.querySelector("input[type=file]");
    this.root.querySelector("[data-pick]").addEventListener("click", () => picker.click());
    picker.addEventListener("change", () => {
      for (const file of picker.files) this.upload(file);
      picker.value = "";
    });
  }

  // Without the marks of pictures that are still on their way: the store never sees those.
  get text() {
    return [...this.uploads.keys()].reduce((text, mark) => text.replace(mark, ""), this.area.value);
  }

  get unsaved() {
    return this.text !== this.base || this.uploads.size > 0;
  }

  // Leaving now would lose something: what was typed is kept here otherwise, and sent on the way out.
  get atRisk() {
    return this.uploads.size > 0 || (this.unsaved && (this.failures > 0 || !this.kept));
  }

  keep() {
    this.kept = drafts.put(this.key, { editor: this.name, section: this.url, base: this.base, text: this.text });
  }

  typed() {
    fit(this.area);
    if (!this.unsaved) return;
    this.keep();
    if (!this.failures) this.say("typing", "Not saved yet");
    this.later(PAUSE_MS);
  }

  later(pause) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), pause);
  }

  // Also without a change of ours: then it brings what others wrote.
  async save(keepalive = false) {
    clearTimeout(this.timer);
    if (this.sending) {
      this.again = true;
      return;
    }
    if ((this.composing || this.uploads.size) && !keepalive) return this.later(PAUSE_MS);
    const pulling = !this.unsaved && this.version === this.latest;
    if (pulling && !this.failures) return;
    this.sending = true;
    this.again = false;
    const sent = this.text;
    if (sent !== this.base && !this.failures) this.say("saving", "Saving…");
    try {
      const answer = await put(this.url, { markdown: sent, base: this.base, editor: this.name }, keepalive);
      this.failures = 0;
      this.saved(sent, answer);
    } catch (error) {
      this.failed(error);
    } finally {
      this.sending = false;
    }
    if (this.again) this.later(PAUSE_MS);
  }

  saved(sent, { written, sections }) {
    this.base = sent;
    this.version = this.latest = written.version;
    if (written.merged && this.area.value === sent && !this.composing) {
      this.show(written.markdown.trimEnd());
      this.base = this.area.value;
    } else if (written.merged) {
      this.again = true; // somebody goes on typing: what others wrote comes with the next answer
      this.version = "";
    }
    if (written.both.length) this.changedTwice(written.both);
    if (this.area.value === this.base) {
      drafts.drop(this.key);
      this.say("saved", "Saved");
    } else {
      this.keep();
      this.again = true;
    }
    const section = sections.find((one) => one.id === this.id);
    for (const part of this.root.querySelectorAll("[data-unwritten]")) part.hidden = !section || !section.unwritten;
  }

  failed(error) {
    const pause = AGAIN_MS[Math.min(this.failures++, AGAIN_MS.length - 1)];
    if (this.text !== this.base) this.keep();
    const where = this.kept === false ? "this page is the only place that has it" : "kept in this browser";
    if (error.status === undefined || error.status >= 500) this.say("offline", `Offline: ${where}, will be saved`);
    else this.say("refused", `Not saved: ${error.message} Your text is ${where}.`);
    this.later(pause);
  }

  say(state, words) {
    this.root.dataset.state = state;
    const shown = this.root.querySelector("[data-said]");
    if (shown.textContent !== words) shown.textContent = words;
    summary();
  }

  // What others wrote, without moving the caret or the page.
  show(text) {
    const area = this.area;
    if (area.value === text) return;
    const before = area.value;
    const [start, end] = [area.selectionStart, area.selectionEnd].map((at) => moved(at, before, text));
    const [head, tail] = ends(before, text);
    const top = area.scrollTop;
    area.setRangeText(text.slice(head, text.length - tail), head, before.length - tail, "preserve");
    area.setSelectionRange(start, end);
    area.scrollTop = top;
    fit(area);
    if (!this.shown) return;
    this.render();
  }

  // --- both changed the same words: both versions stand in the text -----------------------------------------------------

  changedTwice(both) {
    const box = this.root.querySelector("[data-both]");
    const template = document.getElementById("both");
    for (const { store, typed } of both) {
      const shown = template.content.cloneNode(true);
      shown.querySelector("[data-theirs]").textContent = store.trim();
      shown.querySelector("[data-mine]").textContent = typed.trim();
      box.append(shown);
    }
    box.hidden = false;
    announce("Somebody changed the same words: both versions are kept.");
  }

  decided(button) {
    if (!button.matches("button[data-drop]")) return;
    const card = button.closest("[data-card]");
    const unwanted = button.dataset.drop && card.querySelector(`[data-${button.dataset.drop}]`).textContent;
    if (unwanted) this.without(unwanted);
    card.remove();
    this.root.querySelector("[data-both]").hidden = !this.root.querySelector("[data-card]");
    this.area.focus();
  }

  without(text) {
    const at = this.area.value.indexOf(text);
    if (at < 0) return;
    const end = at + text.length + this.area.value.slice(at + text.length).match(/^\n*/)[0].length;
    this.area.setRangeText("", at, end, "end");
    this.typed();
  }

  // --- keys ---------------------------------------------------------------------------------------------------------------

  pressed(event) {
    const command = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    const button = command && !event.altKey && this.root.querySelector(`[data-key="${key}"]`);
    if (button) {
      event.preventDefault();
      button.click();
    } else if (command && key === "s") {
      event.preventDefault();
      this.save();
    } else if (event.key === "Enter" && !command && !event.shiftKey && !event.isComposing) {
      this.nextItem(event);
    }
  }

  // Enter in a list begins the next item; in an empty item it ends the list.
  nextItem(event) {
    const { value, selectionStart: at, selectionEnd } = this.area;
    const line = value.slice(value.lastIndexOf("\n", at - 1) + 1, at);
    const item = line.match(/^(\s*)([-*+]|(\d+)([.)]))( \[[ xX]\])? /);
    if (!item || at !== selectionEnd) return;
    event.preventDefault();
    const [marker, indent, bullet, number, dot, box] = item;
    if (line === marker) {
      this.area.setSelectionRange(at - line.length, at);
      insert(this.area, "");
    } else {
      insert(this.area, `\n${indent}${number ? `${Number(number) + 1}${dot}` : bullet}${box ? " [ ]" : ""} `);
    }
  }

  // --- preview --------------------------------------------------------------------------------------------------------------

  async preview(button) {
    this.shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(this.shown));
    for (const part of this.root.querySelectorAll("[data-source]")) part.hidden = this.shown;
    this.root.querySelector("[data-rendered]").hidden = !this.shown;
    if (this.shown) await this.render();
    else this.area.focus();
  }

  async render() {
    const target = this.root.querySelector("[data-rendered]");
    const body = JSON.stringify({ markdown: this.area.value });
    const answer = await fetch(sheet.dataset.preview, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    }).catch(() => null);
    if (answer && answer.ok) target.innerHTML = await answer.text(); // made safe by the server
    else target.textContent = "The preview needs the server, which cannot be reached right now.";
  }

  // --- pictures -------------------------------------------------------------------------------------------------------------

  files(event, given) {
    const pictures = [...given.files].filter((file) => file.type.startsWith("image/"));
    if (!pictures.length) return;
    event.preventDefault();
    for (const file of pictures) this.upload(file);
  }

  upload(file) {
    const label = file.name.replace(/\.[a-z]+$/i, "").replace(/[[\]\\]/g, " ") || "picture";
    const mark = `![${label}](uploading:${randomName().slice(0, 8)})`;
    this.area.focus();
    insert(this.area, mark);
    this.uploads.set(mark, file);
    this.send(mark, label);
  }

  async send(mark, label, tries = 0) {
    const file = this.uploads.get(mark);
    let instead = "";
    try {
      const answer = await fetch(sheet.dataset.attachments, { method: "POST", headers: { "content-type": file.type }, body: file });
      if (answer.ok) instead = `![${label}](${(await answer.json()).url})`;
      else if (answer.status < 500) toast(refusal(await answer.text(), answer.status));
      else throw new Error(String(answer.status));
    } catch {
      this.say("offline", "Offline: the picture is sent when the server answers; keep this page open");
      setTimeout(() => this.send(mark, label, tries + 1), AGAIN_MS[Math.min(tries, AGAIN_MS.length - 1)]);
      return;
    }
    this.uploads.delete(mark);
    this.show(this.area.value.replace(mark, () => instead));
    this.typed();
  }
}

// As if it was typed, so that it can be undone.
function insert(area, text) {
  if (document.activeElement === area && document.execCommand(text ? "insertText" : "delete", false, text)) return;
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

// --- all of them ------------------------------------------------------------------------------------------------------------

const editors = [...document.querySelectorAll("[data-section]")].map((root) => new Editor(root));
const WORDS = { saved: "All saved", typing: "Not saved yet", saving: "Saving…", offline: "Offline: kept in this browser", refused: "Not saved" };

function summary() {
  const states = editors.map((editor) => editor.root.dataset.state || "saved");
  const worst = ["refused", "offline", "saving", "typing"].find((state) => states.includes(state)) || "saved";
  const shown = document.querySelector("[data-summary]");
  shown.dataset.state = worst;
  shown.textContent = WORDS[worst];
}

function announce(words) {
  document.querySelector("[data-announce]").textContent = words;
}

// What other pages of this browser could not save any more. A save that did arrive is known by its editor's name.
async function leftovers() {
  const ours = editors.map((editor) => editor.key);
  for (const [key, kept] of drafts.all()) {
    if (ours.includes(key)) continue;
    const { editor, section, base, text } = JSON.parse(kept);
    try {
      await put(section, { markdown: text, base, editor });
    } catch (error) {
      if (error.status === 404) orphan(key, text);
      continue; // it stays for the next time
    }
    if (localStorage.getItem(key) === kept) drafts.drop(key);
    announce("Text that was kept in this browser is saved now.");
  }
}

// The section that it was written for is gone.
function orphan(key, text) {
  const shown = document.getElementById("orphan").content.cloneNode(true);
  shown.querySelector("pre").textContent = text;
  shown.querySelector("button").addEventListener("click", (event) => {
    drafts.drop(key);
    event.target.closest(".card").remove();
  });
  document.querySelector("[data-orphans]").append(shown);
}

function follow() {
  const events = new EventSource(sheet.dataset.events);
  events.addEventListener("message", (event) => {
    const { home, versions } = JSON.parse(event.data);
    for (const editor of editors) {
      editor.latest = versions[editor.id];
      if (editor.latest && editor.latest !== editor.version) editor.save();
    }
    if (home !== sheet.dataset.home && !editors.some((editor) => editor.unsaved)) location.reload();
  });
  return events;
}

addEventListener("online", () => {
  leftovers();
  for (const editor of editors) if (editor.unsaved) editor.save();
});
addEventListener("offline", () => {
  for (const editor of editors) if (editor.unsaved) editor.failed({});
});
addEventListener("pagehide", () => {
  for (const editor of editors) if (editor.unsaved) editor.save(true);
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) for (const editor of editors) if (editor.unsaved) editor.save(true);
});
addEventListener("beforeunload", (event) => {
  if (editors.some((editor) => editor.atRisk)) event.preventDefault();
});

for (const editor of editors) editor.latest = editor.version;
summary();
leftovers();
if (sheet.dataset.events) follow();

// A page of an incident: dialogs, reasons that are asked for, and the plan of taking a page that exists.
"use strict";

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) document.getElementById(opener.dataset.dialog).showModal();
  if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
});

// What taking the page would do is shown first; agreeing names the very plan that was shown.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.plan) return;
  event.preventDefault();
  press(form.querySelector("[type=submit]"), async () => {
    const body = { url: form.elements.url.value };
    const answer = await ask("POST", form.dataset.plan, body);
    show(form.querySelector(".plan"), await answer.json(), async () => {
      await ask("POST", form.dataset.plan, { ...body, accept: true }, { "if-match": answer.headers.get("etag") });
      form.closest("dialog").close();
    });
  });
});

function show(place, plan, agree) {
  const list = (head, lines) => (lines.length ? [element("h3", head), items(lines)] : []);
  const button = element("button", "Take this page");
  button.type = "button";
  button.className = "primary";
  button.addEventListener("click", () => press(button, agree));
  const counts = `${plan.follow_ups || 0} follow-ups and ${plan.events || 0} events were recognised; ${plan.untouched || 0} blocks are never touched.`;
  place.replaceChildren(
    element("p", `“${plan.title}”: ${counts}`),
    ...list("To the incident", plan.to_store),
    ...list("To the page", plan.to_page),
    ...list("Not clear", plan.unclear),
    button,
  );
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function items(lines) {
  const list = document.createElement("ul");
  list.replaceChildren(...lines.map((line) => element("li", line)));
  return list;
}

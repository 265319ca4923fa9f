// The demo's tabs: each shows another post-mortem, the page at the left and the incident at the right.
"use strict";

const tabs = [...document.querySelectorAll("[role=tab]")];

function show(tab) {
  for (const other of tabs) other.setAttribute("aria-selected", String(other === tab));
  document.getElementById("left").src = tab.dataset.left;
  document.getElementById("right").src = tab.dataset.right;
  document.getElementById("left-name").textContent = `in ${tab.firstChild.data.trim()}`;
}

for (const tab of tabs) tab.addEventListener("click", () => show(tab));

document.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
  next.focus();
  show(next);
});

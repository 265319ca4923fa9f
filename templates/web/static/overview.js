// The search: `/` leads to it, and the address names only what is set.
"use strict";

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest && event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing) return;
  event.preventDefault();
  const search = document.getElementById("q");
  search.focus();
  search.select();
});

document.addEventListener("htmx:configRequest", (event) => {
  const asked = event.detail.parameters;
  for (const [name, value] of [...asked.entries()]) if (!value) asked.delete(name);
});

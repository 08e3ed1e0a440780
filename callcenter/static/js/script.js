/* The script: a digit shows the next thing to say at once; the server is told and may correct it. */
import { serverNow } from "./clocks.js";
import { csrfToken } from "./posts.js";

/* Steps shown here which the server has not confirmed yet: {task, node, answer, label, leadsTo, at}. */
let unconfirmed = [];

function task() {
  return document.getElementById("state")?.dataset.callTask;
}

function show(step) {
  const node = document.getElementById(`node-${step.node}`);
  const next = document.getElementById(`node-${step.leadsTo}`);
  if (!node || !next || node.hidden) return;
  node.hidden = true;
  next.hidden = false;
  const row = document.createElement("li");
  const mark = document.createElement("span");
  mark.className = "icon";
  mark.textContent = "✓";
  const text = document.createElement("span");
  const answer = document.createElement("b");
  answer.textContent = step.answer;
  text.append(`${step.label} `, answer);
  row.append(mark, text);
  document.getElementById("script-path")?.append(row);
}

function onBranch(event) {
  const branch = event.submitter;
  const form = event.target;
  if (!form.matches("form.node") || !branch?.dataset.leadsTo) return;
  const step = {
    task: task(),
    node: form.dataset.node,
    label: form.dataset.label,
    answer: branch.dataset.answer,
    leadsTo: branch.dataset.leadsTo,
    at: serverNow(),
  };
  unconfirmed.push(step);
  // After htmx has read the form: hiding it first would lose the chosen branch.
  window.setTimeout(() => {
    show(step);
    document.getElementById("script-scroll")?.scrollTo({ top: 0 });
  });
}

function onAnswer(event) {
  const form = event.target.closest?.("form.node") ?? event.detail.elt?.closest?.("form.node");
  if (form && event.detail.successful) {
    unconfirmed = unconfirmed.filter((step) => step.node !== form.dataset.node);
  }
}

/* After a refresh, steps not yet confirmed are shown again on top of the server's state. */
function showUnconfirmed() {
  unconfirmed = unconfirmed.filter((step) => step.task === task());
  unconfirmed.forEach(show);
}

function openObjections(key) {
  const panel = document.getElementById("objections");
  if (!panel) return;
  panel.hidden = false;
  const chosen = key && document.getElementById(`objection-${key}`);
  if (chosen) {
    chosen.hidden = false;
    chosen.open = true;
    chosen.querySelector("summary").focus();
  }
}

function closeObjections() {
  const panel = document.getElementById("objections");
  if (!panel) return;
  panel.hidden = true;
  const search = document.getElementById("objection-search");
  search.value = "";
  filterObjections("");
  if (panel.contains(document.activeElement) || document.activeElement === search) search.blur();
}

function filterObjections(text) {
  const wanted = text.trim().toLowerCase();
  let found = 0;
  for (const item of document.querySelectorAll("[data-objection]")) {
    item.hidden = !item.textContent.toLowerCase().includes(wanted);
    found += item.hidden ? 0 : 1;
  }
  const none = document.querySelector("[data-no-objection]");
  if (none) none.hidden = found > 0;
}

/* An objection that was opened is part of the path, too. A lost note of it costs nothing on the call. */
function noteObjection(item) {
  const panel = item.closest("[data-objections]");
  const node = document.querySelector("form.node:not([hidden])");
  const body = new URLSearchParams({ objection: item.dataset.objection, node: node?.dataset.node ?? "" });
  fetch(panel.dataset.objections, {
    method: "POST",
    headers: {
      "X-CSRFToken": csrfToken(),
      "HX-Request": "true",
    },
    body,
  }).catch(() => {});
}

export function startScript() {
  document.addEventListener("submit", onBranch, true);
  document.body.addEventListener("htmx:afterRequest", onAnswer);
  document.addEventListener("state-changed", showUnconfirmed);
  document.addEventListener("objections-close", closeObjections);
  document.addEventListener("focusin", (event) => {
    if (event.target.matches?.("[data-objection-search]")) openObjections();
  });
  document.addEventListener("input", (event) => {
    if (event.target.matches?.("[data-objection-search]")) filterObjections(event.target.value);
  });
  document.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-open-objection]");
    if (chip) openObjections(chip.dataset.openObjection);
    else if (!event.target.closest(".objections, .search")) closeObjections();
  });
  document.addEventListener(
    "toggle",
    (event) => {
      if (event.target.matches?.("[data-objection]") && event.target.open) noteObjection(event.target);
    },
    true,
  );
}

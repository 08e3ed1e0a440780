/* The floor's search. What is in the page is narrowed at once, row by row; what is beyond it the server finds.

   The live state comes from a stream that is the same for all who look at the floor: it is narrowed as it arrives, so
   that rows which do not fit never show, and those held back under the hand are narrowed with the others. */
import { correctClocks } from "./clocks.js";
import { csrfToken, sentenceFor } from "./posts.js";
import { say, showNotice, word } from "./words.js";

const ASK_AFTER_MS = 250;
const LISTS = [
  { rows: "#queue-rows > tr[id^='row-']", name: ".name" },
  { rows: ".seat-grid > .seat", name: ".seat-name" },
];
let words = "";
let found = new Set();
let timer = null;
let asked = 0;

const field = () => document.getElementById("find-words");
const pane = () => document.getElementById("found");

function narrow(root) {
  for (const { rows, name } of LISTS) {
    for (const row of root.querySelectorAll(rows)) {
      const isHit = Boolean(words) && (found.has(row.id) || row.querySelector(name).textContent.toLowerCase().includes(words));
      row.classList.toggle("is-hit", isHit);
      row.classList.toggle("is-missed", Boolean(words) && !isHit);
    }
  }
}

async function ask() {
  const mine = ++asked;
  const body = new URLSearchParams({ words: field().value, csrf_token: csrfToken() });
  try {
    const answer = await fetch("/floor/find", { method: "POST", body, headers: { "HX-Request": "true" }, redirect: "manual" });
    const text = await answer.text();
    if (mine !== asked) return;
    if (!answer.ok) {
      showNotice(sentenceFor(answer.status || 401, text, answer.headers.get("Content-Type") ?? ""));
      return;
    }
    show(text);
  } catch {
    if (mine === asked) showNotice(word("network"));
  }
}

function show(html) {
  const list = new DOMParser().parseFromString(html, "text/html").querySelector("[data-found]");
  if (!list) {
    showNotice(word("401"));
    return;
  }
  pane().replaceChildren(list);
  pane().hidden = false;
  correctClocks();
  found = new Set([...list.querySelectorAll("[data-found-row]")].map((one) => one.dataset.foundRow));
  narrow(document);
  say(word("found-many", { n: list.querySelectorAll(".found").length }));
}

function typed() {
  words = field().value.trim().toLowerCase();
  found = new Set();
  narrow(document);
  window.clearTimeout(timer);
  asked += 1;
  if (words) timer = window.setTimeout(ask, ASK_AFTER_MS);
  else pane().hidden = true;
}

function clear() {
  field().value = "";
  typed();
}

/* Down and up go through what was found; Esc clears, wherever in the search one is. */
function move(event) {
  const stops = [field(), ...pane().querySelectorAll("a, button")];
  const at = stops.indexOf(document.activeElement);
  const next = stops[at + (event.key === "ArrowDown" ? 1 : -1)];
  if (at < 0 || pane().hidden || !next) return;
  event.preventDefault();
  next.focus();
}

function onKey(event) {
  if (event.isComposing || !event.target.closest?.("#find, #found")) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") move(event);
  if (event.key === "Escape" && (words || !pane().hidden)) {
    event.preventDefault();
    clear();
    field().focus();
  }
}

export function startFinding() {
  if (!field()) return;
  field().addEventListener("input", typed);
  document.getElementById("find").addEventListener("submit", (event) => {
    event.preventDefault();
    window.clearTimeout(timer);
    if (words) ask();
  });
  document.addEventListener("keydown", onKey);
  document.addEventListener("state-arriving", ({ detail }) => narrow(detail.fresh));
  document.addEventListener("rows-arriving", ({ detail }) => narrow(detail.fresh.parentElement ?? detail.fresh));
  document.addEventListener("rows-shown", () => narrow(document));
  document.addEventListener("state-changed", () => {
    // The viewer's own part in a call takes the place of the search: nothing is left out that they cannot see why.
    if (words && !field().checkVisibility()) clear();
    else narrow(document);
  });
  if (field().value) typed(); // what a reload has kept
}

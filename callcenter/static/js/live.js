/* Live pages: an event says "changed", the state is fetched again and morphed in. Polling when the stream is down. */
import { morphState } from "./posts.js";
import { say } from "./words.js";

const POLL_EVERY_MS = 5000;
let stateUrl = null;
let stream = null;
let polling = null;
let fetching = false;
let again = false;

async function refresh() {
  if (fetching) {
    again = true;
    return;
  }
  fetching = true;
  try {
    const answer = await fetch(stateUrl, { headers: { "HX-Request": "true" }, redirect: "manual" });
    if (answer.ok) morphState(await answer.text());
  } catch {
    /* The stale note says it; the next poll tries again. */
  } finally {
    fetching = false;
    if (again) {
      again = false;
      refresh();
    }
  }
}

function setStale(isStale) {
  document.getElementById("stale").hidden = !isStale;
  document.documentElement.classList.toggle("is-stale", isStale);
  if (isStale && polling === null) polling = window.setInterval(pollAndReconnect, POLL_EVERY_MS);
  if (!isStale && polling !== null) {
    window.clearInterval(polling);
    polling = null;
  }
}

function pollAndReconnect() {
  refresh();
  if (stream.readyState === EventSource.CLOSED) connect();
}

function connect() {
  stream = new EventSource(document.body.dataset.live);
  stream.addEventListener("open", () => {
    const wasStale = polling !== null;
    setStale(false);
    if (wasStale) refresh();
  });
  stream.addEventListener("error", () => setStale(true));
  stream.addEventListener("changed", refresh);
  // A plain message with the word does as well as a named event.
  stream.addEventListener("message", (event) => event.data.includes("changed") && refresh());
}

/* Say what changed, and tint rows that were not there before, once. */
let lastSpoken = "";
let lastSaid = "";
const seen = new Set();

function announce(isFirst) {
  const state = document.getElementById("state");
  const note = state.querySelector("[data-say]");
  if (note && note.dataset.say !== lastSaid) {
    lastSaid = note.dataset.say;
    if (!isFirst) say(note.textContent.trim());
  } else if (state.dataset.spoken && state.dataset.spoken !== lastSpoken && !isFirst) {
    say(state.dataset.spoken);
  }
  lastSpoken = state.dataset.spoken ?? "";
  for (const row of state.querySelectorAll(".event[id], [data-flash][id], .seat-bad[id]")) {
    if (seen.has(row.id)) continue;
    seen.add(row.id);
    if (!isFirst) {
      row.classList.add("flash");
      row.addEventListener("animationend", () => row.classList.remove("flash"), { once: true });
    }
  }
}

export function startLive() {
  if (!document.getElementById("state")) return;
  announce(true);
  document.addEventListener("state-changed", () => announce(false));
  stateUrl = document.body.dataset.stateUrl;
  if (!stateUrl) return;
  document.addEventListener("state-wanted", refresh);
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  if (document.body.dataset.live) connect();
  else window.setInterval(refresh, POLL_EVERY_MS);
}

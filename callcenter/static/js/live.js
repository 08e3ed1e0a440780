/* Live pages: an event says "changed", the state is fetched again and morphed in. Polling when the stream is down. */
import { serverNow } from "./clocks.js";
import { morphState } from "./posts.js";
import { say } from "./words.js";

const POLL_EVERY_MS = 5000;
const STALE_AFTER_MS = 3000;
const SOONEST_AGAIN_MS = 1000;
let stateUrl = null;
let stream = null;
let polling = null;
let fetching = false;
let again = false;
let noteTimer = null;
let againTimer = null;
let retryTimer = null;
let hasFailed = false;

async function refresh() {
  if (fetching) {
    again = true;
    return;
  }
  fetching = true;
  try {
    const answer = await fetch(stateUrl, { headers: { "HX-Request": "true" }, redirect: "manual" });
    if (answer.ok) morphState(await answer.text());
    stateAnswered(answer.ok);
  } catch {
    stateAnswered(false);
  } finally {
    fetching = false;
    if (again) {
      again = false;
      refresh();
    }
  }
}

/* What is on the screen is old, whoever is to blame: the stream, or the state that could not be read. A state that
   cannot be read is asked for until it can, as the stream would tell of the next change only. */
function stateAnswered(isOk) {
  window.clearTimeout(retryTimer);
  hasFailed = !isOk;
  if (!isOk && polling === null && stream !== null) retryTimer = window.setTimeout(refresh, POLL_EVERY_MS);
  if (!isOk) showStale(true);
  else if (polling === null) showStale(false);
}

/* The stream is renewed now and then by itself; only a longer gap is worth a note. */
function setStale(isStale) {
  window.clearTimeout(noteTimer);
  if (isStale) noteTimer = window.setTimeout(() => showStale(true), STALE_AFTER_MS);
  else if (!hasFailed) showStale(false);
  if (isStale && polling === null) polling = window.setInterval(pollAndReconnect, POLL_EVERY_MS);
  if (!isStale && polling !== null) {
    window.clearInterval(polling);
    polling = null;
  }
}

function showStale(isStale) {
  document.getElementById("stale").hidden = !isStale;
  document.documentElement.classList.toggle("is-stale", isStale);
}

function pollAndReconnect() {
  refresh();
  if (stream.readyState === EventSource.CLOSED) connect();
}

function connect() {
  stream = new EventSource(document.body.dataset.live);
  // The stream's first word is "changed": the state is read with it, once.
  stream.addEventListener("open", () => setStale(false));
  stream.addEventListener("error", () => polling === null && setStale(true));
  stream.addEventListener("changed", refresh);
  // Where many look at the same, the state itself comes by the stream.
  stream.addEventListener("state", (event) => {
    morphState(JSON.parse(event.data));
    stateAnswered(true);
  });
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
  const known = new Set(seen);
  for (const row of state.querySelectorAll(".event[id], [data-flash][id], .seat-bad[id]")) {
    if (seen.has(row.id)) continue;
    seen.add(row.id);
    // A list that is new altogether is not news; a row added to a known list is.
    if (!isFirst && [...row.parentElement.children].some((other) => other !== row && known.has(other.id))) {
      row.classList.add("flash");
      row.addEventListener("animationend", () => row.classList.remove("flash"), { once: true });
    }
  }
}

/* A list that changes by the mere passing of time says when. */
function refreshWhenDue() {
  window.clearTimeout(againTimer);
  const list = document.querySelector("#state [data-refresh-at]");
  if (!list?.dataset.refreshAt) return;
  const wait = Number(list.dataset.refreshAt) - serverNow();
  againTimer = window.setTimeout(refresh, Math.max(wait, SOONEST_AGAIN_MS));
}

export function startLive() {
  if (!document.getElementById("state")) return;
  announce(true);
  document.addEventListener("state-changed", () => announce(false));
  stateUrl = document.body.dataset.stateUrl;
  if (!stateUrl) return;
  document.addEventListener("state-wanted", refresh);
  document.addEventListener("state-changed", refreshWhenDue);
  refreshWhenDue();
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  if (document.body.dataset.live) connect();
  else window.setInterval(refresh, POLL_EVERY_MS);
}

/* Every act goes to the server by POST; an answer replaces the state, a failure says so and loses nothing. */
import { correctClocks } from "./clocks.js";
import { isTheirs } from "./fields.js";
import { hideNotice, showNotice, word } from "./words.js";

/* What the person is typing, has chosen or has opened stays theirs when the page is refreshed. */
function keepWhatIsTheirs() {
  // Only while it belongs to the same call task: a note must never move to the next customer.
  Idiomorph.defaults.callbacks.beforeNodeMorphed = (old, fresh) =>
    !(old instanceof HTMLElement && old.id && old.id === fresh.id && (isSame(old, fresh, "keep") || isSame(old, fresh, "part") || isOpenStill(old, fresh)));
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) =>
    !(name === "open" && (node instanceof HTMLDetailsElement || node instanceof HTMLDialogElement)) && !isTheirs(name, node);
}

function isSame(old, fresh, name) {
  return Boolean(old.dataset[name]) && old.dataset[name] === fresh.dataset?.[name];
}

/* A list one is choosing from does not change under the pointer. What it shows when it is opened is asked for anew,
   and taken as long as nothing is chosen: who was free at the last refresh may not be now. */
let justOpened = null;

function isOpenStill(old, fresh) {
  if (!isSame(old, fresh, "keepOpen")) return false;
  const menu = old.closest("details");
  return Boolean(menu?.open) && (menu !== justOpened || menu.querySelector("input:checked") !== null);
}

function askWhenOpened(event) {
  const menu = event.target;
  if (!(menu instanceof HTMLDetailsElement) || !menu.open || !menu.querySelector("[data-keep-open]")) return;
  justOpened = menu;
  document.dispatchEvent(new CustomEvent("state-wanted"));
}

/* A refresh asked for before an act may be answered after it: what it says is old by then. Servers' clocks may
   differ a little, so an answer that claims to be much older is believed all the same. */
const OLD_WITHIN_MS = 2000;

function isOlder(fresh) {
  const behind = Number(document.getElementById("state").dataset.now) - Number(fresh.dataset.now);
  return behind > 0 && behind < OLD_WITHIN_MS;
}

/* When a refresh came in last, and when each act was sent. */
let refreshedAt = 0;
const sentAt = new WeakMap();

/* An act's answer may have been read before a refresh that was quicker: what it says is asked for once more. */
function askAgainAfter(xhr) {
  if (refreshedAt > (sentAt.get(xhr) ?? Infinity)) document.dispatchEvent(new CustomEvent("state-wanted"));
}

/* Replace the state by newer HTML and tell the rest of the page. The answer to an act is never too old. */
export function morphState(html, isAnswer = false) {
  const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("state");
  if (!fresh) return false;
  if (!isAnswer && isOlder(fresh)) return true;
  if (!isAnswer) refreshedAt = performance.now();
  document.dispatchEvent(new CustomEvent("state-arriving", { detail: { fresh, isAnswer } }));
  Idiomorph.morph(document.getElementById("state"), fresh, { morphStyle: "outerHTML" });
  htmx.process(document.getElementById("state"));
  justOpened = null;
  stateChanged();
  return true;
}

function stateChanged() {
  correctClocks();
  document.dispatchEvent(new CustomEvent("state-changed"));
}

/* The server's own sentence where it sent one; otherwise ours for the status. */
export function sentenceFor(status, body, type = "") {
  if (type.includes("json")) {
    try {
      const answer = JSON.parse(body);
      const text = answer.message ?? answer.error?.message ?? answer.error;
      if (typeof text === "string" && text) return text;
    } catch {
      /* fall through to our own sentence */
    }
  } else if (type.includes("text/plain") && body && body.length < 300) {
    return body;
  }
  return word(String(status)) || word(status >= 500 ? "500" : "422");
}

/* The newest key: whoever has signed in anew in another tab gets it with the next refresh of the state. */
export function csrfToken() {
  return (
    document.querySelector('#state input[name="csrf_token"]')?.value ??
    document.querySelector('meta[name="csrf-token"]')?.content
  );
}

/* htmx tells an answer at the form that asked. Where a refresh has taken the form away meanwhile (a row of a list
   that somebody else was quicker at), nobody would hear of it. */
function hearForGoneForms({ detail }) {
  const { elt, xhr } = detail;
  sentAt.set(xhr, performance.now());
  xhr.addEventListener("readystatechange", () => {
    if (xhr.readyState !== XMLHttpRequest.DONE || xhr.status === 0 || elt.isConnected) return;
    if (xhr.status >= 400) {
      showNotice(sentenceFor(xhr.status, xhr.responseText, xhr.getResponseHeader("Content-Type") ?? ""));
      document.dispatchEvent(new CustomEvent("state-wanted"));
    } else {
      hideNotice();
      morphState(xhr.responseText, true);
      askAgainAfter(xhr);
    }
  });
}

export function startPosts() {
  keepWhatIsTheirs();
  document.addEventListener("toggle", askWhenOpened, true);
  document.body.addEventListener("htmx:beforeSend", hearForGoneForms);
  document.body.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRFToken"] = csrfToken();
  });
  // An answer to an act goes into the page the way a refresh does. Left to htmx, an answer and a refresh that came
  // in within its settling time could leave two states in the page, or one with the attributes of the older.
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, target } = event.detail;
    // A part that is no state of its own (a back-test under way) takes its own answer and nothing else.
    const part = target?.dataset?.part;
    event.detail.shouldSwap = Boolean(part) && xhr.status < 400 && xhr.responseText.includes(`data-part="${part}"`);
    if (event.detail.shouldSwap) return;
    // A refusal may carry the true state (a wrap-up with errors, a task already gone): show it too.
    if (xhr.responseText.includes('id="state"')) {
      morphState(xhr.responseText, true);
      askAgainAfter(xhr);
    }
    // An answer without a state (signed out, another page) must never empty the screen.
    else if (xhr.status >= 400) return;
    else if (xhr.responseText.includes('id="sign-in"')) showNotice(word("401"));
    else if (xhr.status !== 204) showNotice(word("500"));
  });
  document.body.addEventListener("htmx:responseError", (event) => {
    const { xhr } = event.detail;
    showNotice(sentenceFor(xhr.status, xhr.responseText, xhr.getResponseHeader("Content-Type") ?? ""));
    if ([400, 401, 404, 409].includes(xhr.status)) document.dispatchEvent(new CustomEvent("state-wanted"));
  });
  for (const failure of ["htmx:sendError", "htmx:timeout"]) {
    document.body.addEventListener(failure, () => showNotice(word("network")));
  }
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) hideNotice();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-close-notice]")) hideNotice();
  });
}

/* The keyboard map. Keys are declared in the page by data-key and rest while someone types. */
import { showNotice, word } from "./words.js";

const TWICE_WITHIN_MS = 1000;
const GO_WITHIN_MS = 1500;
let armed = null;
let goUntil = 0;

function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.matches("textarea, select")) return true;
  return target.matches("input") && !["radio", "checkbox", "submit", "button"].includes(target.type);
}

/* "d", "shift+1", "ctrl+enter", "?": the physical digit counts, so that Shift+1 is the same everywhere. */
function combination(event) {
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code);
  const name = digit ? digit[1] : event.key.toLowerCase();
  const shift = event.shiftKey && (digit || name === "enter");
  return `${event.ctrlKey || event.metaKey ? "ctrl+" : ""}${shift ? "shift+" : ""}${name}`;
}

function isShown(element) {
  return element.checkVisibility ? element.checkVisibility() : element.offsetParent !== null;
}

function find(combo) {
  const all = document.querySelectorAll(`[data-key="${CSS.escape(combo)}"]`);
  return [...all].find((element) => isShown(element) && !element.closest("dialog:not([open])"));
}

function pressTwice(button) {
  if (armed === button) {
    armed = null;
    button.classList.remove("is-armed");
    button.click();
    return;
  }
  armed = button;
  button.classList.add("is-armed");
  const spoken = document.getElementById("spoken");
  spoken.textContent = word("end-again");
  window.setTimeout(() => {
    if (armed === button) armed = null;
    button.classList.remove("is-armed");
  }, TWICE_WITHIN_MS);
}

function act(element) {
  if (element.disabled) return;
  if ("keyTwice" in element.dataset) pressTwice(element);
  else if (isTyping(element)) element.focus();
  else {
    if (element.matches("input, summary")) element.focus();
    element.click();
  }
}

function save() {
  const button = find("ctrl+enter");
  if (!button || button.disabled) return;
  const form = button.form;
  if (!form.checkValidity()) showNotice(word("choose-result"));
  else form.requestSubmit(button);
}

function closeOpen() {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  const objections = document.getElementById("objections");
  if (objections && !objections.hidden) document.dispatchEvent(new CustomEvent("objections-close"));
}

function onKey(event) {
  if (event.defaultPrevented || event.isComposing || event.altKey) return;
  if (event.key === "Escape") {
    closeOpen();
    return;
  }
  const combo = combination(event);
  if (combo === "ctrl+enter") {
    if (find(combo)) {
      event.preventDefault();
      save();
    }
    return;
  }
  if ((event.ctrlKey || event.metaKey) && !document.querySelector("dialog[open]")) {
    const element = find(combo);
    if (element) {
      event.preventDefault();
      act(element);
      return;
    }
  }
  if (isTyping(event.target) || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
  if (Date.now() < goUntil) {
    goUntil = 0;
    const link = document.querySelector(`[data-go="${CSS.escape(combo)}"]`);
    if (link) {
      event.preventDefault();
      link.click();
      return;
    }
  }
  if (combo === "g") {
    goUntil = Date.now() + GO_WITHIN_MS;
    return;
  }
  if (event.repeat) return;
  if (combo === "?") {
    event.preventDefault();
    document.getElementById("keys").showModal();
    return;
  }
  const element = find(combo);
  if (element) {
    event.preventDefault();
    act(element);
  }
}

export function startKeys() {
  document.addEventListener("keydown", onKey);
}

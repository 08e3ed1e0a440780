/* Rows keep their place under the reader's hand. What would move them is counted on a button and shown on demand,
   or as soon as the hand is gone; what a row says is always as of now.

   A list says by data-hold-rows what a hand is: "pane": a ticked row, the keyboard, or the pointer inside its
   section; "hand": the keyboard, or a pointer that has moved there lately; "top": scrolled past its first row.
   data-hold-of names whose list it is; another one's rows are never held. */
import { say, word } from "./words.js";

const HAND_RESTS_AFTER_MS = 8000;
const later = new Map();
let movedAt = 0;

function rowsOf(list) {
  return [...list.children].filter((row) => row.id);
}

function scroller(list) {
  return list.closest(".pane-scroll") ?? list;
}

function hasPointer(list) {
  return matchMedia("(hover: hover)").matches && (list.closest("section") ?? list).matches(":hover");
}

const IS_HELD = {
  pane: (list) => list.querySelector("input:checked, :focus-visible") !== null || hasPointer(list),
  hand: (list) =>
    list.querySelector(":focus-visible") !== null ||
    (hasPointer(list) && performance.now() - movedAt < HAND_RESTS_AFTER_MS),
  top: (list) => list.getBoundingClientRect().top < scroller(list).getBoundingClientRect().top - 1,
};

function isHeld(list) {
  return rowsOf(list).length > 0 && IS_HELD[list.dataset.holdRows](list);
}

/* How many rows stand in another order: all but the longest run that kept theirs. */
function moved(before, after) {
  const places = before.filter((id) => after.includes(id)).map((id) => after.indexOf(id));
  const runs = [];
  places.forEach((place, at) => {
    runs[at] = 1 + Math.max(0, ...runs.slice(0, at).filter((_, earlier) => places[earlier] < place));
  });
  return places.length - Math.max(0, ...runs);
}

/* The row of a list that no longer has it: it stays where it was, says so, and nothing of it can be pressed. */
function gone(row) {
  const left = row.cloneNode(true);
  left.classList.add("is-gone");
  for (const button of left.querySelectorAll("button")) button.disabled = true;
  const says = left.querySelector("[data-gone]");
  if (says) says.textContent = word("row-gone");
  return left;
}

/* Put the newest of each row in the place of the old one; return how many changes that leaves out. */
function keepPlaces(list, fresh) {
  const [old, now] = [rowsOf(list), rowsOf(fresh)];
  const [before, after] = [old.map((row) => row.id), now.map((row) => row.id)];
  const changes =
    after.filter((id) => !before.includes(id)).length +
    old.filter((row) => !after.includes(row.id)).length +
    moved(before, after);
  if (changes) {
    const byId = new Map(now.map((row) => [row.id, row]));
    fresh.replaceChildren(...old.map((row) => byId.get(row.id) ?? gone(row)));
  }
  return changes;
}

function tell(button, changes) {
  if (!button) return "";
  button.hidden = changes === 0;
  if (!changes) return "";
  const text = changes === 1 ? word(button.dataset.one) : word(button.dataset.many, { n: changes });
  button.querySelector("[data-held-count]").textContent = text;
  return text;
}

function buttonOf(root, id) {
  return root.querySelector(`[data-show-held="${id}"]`);
}

/* A newer state is about to be shown. */
function hold({ detail: { fresh, isAnswer } }) {
  for (const list of document.querySelectorAll("[data-hold-rows]")) {
    const next = fresh.querySelector(`#${CSS.escape(list.id)}`);
    const isSame = next && next.dataset.holdOf === list.dataset.holdOf;
    const isActedOn = isAnswer && list.dataset.holdRows === "hand";
    const whole = next?.cloneNode(true);
    const changes = isSame && !isActedOn && isHeld(list) ? keepPlaces(list, next) : 0;
    const text = tell(buttonOf(fresh, list.id), changes);
    if (changes && !later.has(list.id)) say(text);
    if (changes) later.set(list.id, whole);
    else later.delete(list.id);
  }
}

/* Show what was left out. The focus stays with its row, or goes to the list. */
function show(list) {
  const fresh = later.get(list.id);
  later.delete(list.id);
  const button = buttonOf(document, list.id);
  const wasFocused = document.activeElement;
  const goesToTop = list.dataset.holdRows === "top" && wasFocused === button;
  tell(button, 0);
  document.dispatchEvent(new CustomEvent("rows-arriving", { detail: { list, fresh } }));
  Idiomorph.morph(list, fresh, { morphStyle: "outerHTML" });
  htmx.process(document.getElementById(fresh.id));
  if (wasFocused === button || !wasFocused?.isConnected) scroller(list).focus({ preventScroll: true });
  if (goesToTop) document.getElementById(fresh.id).scrollIntoView({ block: "nearest" });
  document.dispatchEvent(new CustomEvent("rows-shown"));
}

/* The hand may be gone: show what waits in lists that nobody holds any more. */
function letGo() {
  for (const id of [...later.keys()]) {
    const list = document.getElementById(id);
    if (!list) later.delete(id);
    else if (!isHeld(list)) show(list);
  }
}

export function startHeld() {
  if (!document.querySelector("[data-hold-rows]")) return;
  document.addEventListener("state-arriving", hold);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-show-held]");
    const list = button && document.getElementById(button.dataset.showHeld);
    if (list && later.has(list.id)) show(list);
  });
  document.addEventListener("pointermove", () => { movedAt = performance.now(); }, { passive: true });
  for (const name of ["mouseover", "focusout", "change", "reset", "scroll"]) {
    document.addEventListener(name, () => later.size && window.setTimeout(letGo), { capture: true, passive: true });
  }
  document.documentElement.addEventListener("mouseleave", () => later.size && window.setTimeout(letGo));
  window.setInterval(letGo, HAND_RESTS_AFTER_MS / 4);
}

/* The list an agent chooses from: a key leads into it, arrows move, Enter takes what has the focus. A task is never
   taken by its place in the list, which may change between look and press. */

let focused = null;

function choices() {
  return [...document.querySelectorAll("#choices [data-choice]")];
}

function move(event) {
  const list = event.target.closest("#choices");
  if (!list || event.altKey || event.ctrlKey || event.metaKey) return;
  const all = choices();
  const at = all.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at < 0 ? 0 : at - 1, Home: 0, End: all.length - 1 }[event.key];
  if (next === undefined || all.length === 0) return;
  event.preventDefault();
  all[Math.min(Math.max(next, 0), all.length - 1)].focus();
}

/* Where the task that had the focus is gone, the focus goes to the list and not to another task. */
function keepFocus() {
  const list = document.getElementById("choices");
  if (focused && list && document.activeElement === document.body) {
    (document.getElementById(focused) ?? list).focus({ preventScroll: true });
  }
  if (!list) focused = null;
}

export function startChoosing() {
  document.addEventListener("keydown", move);
  document.addEventListener("focusin", (event) => {
    focused = event.target.closest("#choices") ? event.target.id : null;
  });
  document.addEventListener("pointerdown", (event) => {
    if (!event.target.closest("#choices")) focused = null;
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-choose]")) choices()[0]?.focus();
  });
  document.addEventListener("state-changed", keepFocus);
}

/* What is cut off is read whole under the pointer or the focus: its own words become its tooltip. */

const LEVELS = 4;

function isCut(element) {
  const { overflowX } = getComputedStyle(element);
  if (overflowX !== "hidden" && overflowX !== "clip") return false;
  return element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 3;
}

function tell(element) {
  // Words of its own (a barred control's reason) stay.
  if (element.closest("[title]") || !isCut(element)) return;
  element.title = element.textContent.replace(/\s+/g, " ").trim();
}

function look({ target }) {
  for (let element = target, level = 0; element instanceof HTMLElement && level < LEVELS; level += 1) {
    tell(element);
    element = element.parentElement;
  }
  // A row under the focus tells of what it holds.
  if (target instanceof HTMLElement && target.matches("a, button, summary")) {
    for (const inner of target.querySelectorAll(".cut, span, b")) tell(inner);
  }
}

export function startFull() {
  document.addEventListener("mouseover", look);
  document.addEventListener("focusin", look);
}

/* The floor's queue by keyboard: j and k move, x ticks; how many are ticked is told in the bulk bar. */

function rows() {
  return [...document.querySelectorAll('#queue-rows input[name="ids"]')];
}

function isTyping(target) {
  return target instanceof HTMLElement && target.matches("textarea, select, input:not([type='checkbox'])");
}

function count() {
  const told = document.querySelector("[data-bulk-count]");
  if (!told) return;
  const many = rows().filter((box) => box.checked).length;
  told.textContent = many ? String(many) : "";
}

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1);
  all[next].focus();
  all[next].scrollIntoView({ block: "nearest" });
}

export function startQueue() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (!rows().length || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const name = event.key.toLowerCase();
    if (name === "j" || name === "k") {
      event.preventDefault();
      move(name === "j" ? 1 : -1);
    } else if (name === "x" && rows().includes(document.activeElement)) {
      event.preventDefault();
      document.activeElement.click();
    }
  });
  document.addEventListener("change", (event) => event.target.name === "ids" && count());
  document.addEventListener("reset", () => window.setTimeout(count));
  document.addEventListener("state-changed", count);
  count();
}

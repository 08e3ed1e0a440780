/* The floor's queue by keyboard: j and k move, x ticks; how many are ticked is told in the bulk bar, and that they
   are what is meant. */

function rows() {
  return [...document.querySelectorAll('#queue-rows input[name="ids"]')];
}

function shownRows() {
  return rows().filter((box) => box.checkVisibility());
}

/* Rows by rule are folded until a rule is opened; what was opened stays so while the tab lives. */
const OPENED = "floor-rules-opened";
const opened = new Set(JSON.parse(window.sessionStorage.getItem(OPENED) ?? "[]"));

function fold(root) {
  for (const button of root.querySelectorAll("[data-open-group]")) {
    button.setAttribute("aria-expanded", String(opened.has(button.dataset.openGroup)));
  }
  if (!root.querySelector("[data-open-group]")) return;
  for (const row of root.querySelectorAll("#queue-rows > [data-group]")) {
    row.classList.toggle("is-folded", !opened.has(row.dataset.group));
  }
}

function openGroup(key) {
  if (opened.has(key)) opened.delete(key);
  else opened.add(key);
  window.sessionStorage.setItem(OPENED, JSON.stringify([...opened]));
  fold(document);
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

/* Whoever ticks rows, or says how many, means those. */
function choose(event) {
  const { form, name } = event.target;
  if (form?.id !== "queue-bulk") return;
  if (name === "ids") {
    count();
    form.elements.which.value = rows().some((box) => box.checked) ? "ticked" : "count";
  } else if (name === "count" || name === "share") {
    form.elements.which.value = name;
  }
}

function clear() {
  const open = document.getElementById("bulk-open");
  if (open) open.checked = false;
  count();
}

function move(step) {
  const all = shownRows();
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
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-open-group]");
    if (button) openGroup(button.dataset.openGroup);
  });
  document.addEventListener("state-arriving", ({ detail }) => fold(detail.fresh));
  document.addEventListener("rows-shown", () => fold(document));
  document.addEventListener("state-changed", () => fold(document));
  fold(document);
  document.addEventListener("change", choose);
  document.addEventListener("input", choose);
  document.addEventListener("reset", () => window.setTimeout(clear));
  document.addEventListener("state-changed", count);
  document.addEventListener("rows-shown", count);
  count();
}

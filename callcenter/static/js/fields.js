/* What somebody has ticked, chosen or typed in a part of the page with data-keep-fields outlives its refreshes. */

const FIELDS = "input:not([type='hidden']), select";

function isTicked(field) {
  return field.type === "checkbox" || field.type === "radio";
}

function same(field, root) {
  const name = CSS.escape(field.name || "");
  if (field.id) return root.querySelector(`#${CSS.escape(field.id)}`);
  if (!isTicked(field)) return root.querySelector(`[name="${name}"]`);
  return root.querySelector(`[name="${name}"][value="${CSS.escape(field.value)}"]`);
}

/* Carry the state of the old part's fields over to the fresh part, by what they stand for and not by their place. */
export function carryOver(old, fresh) {
  for (const field of old.querySelectorAll(FIELDS)) {
    const next = same(field, fresh);
    if (!next) continue;
    if (isTicked(field)) next.checked = field.checked;
    else if (next instanceof HTMLSelectElement) {
      if ([...next.options].some((option) => option.value === field.value)) next.value = field.value;
    }
  }
}

/* What is typed stays as it is: the page's parts are told apart by their names, and only the words would be old. */
export function isTheirs(name, node) {
  return name === "value" && node instanceof HTMLInputElement && ["text", "search"].includes(node.type)
    && node.closest("[data-keep-fields]") !== null;
}

export function startFields() {
  document.addEventListener("state-arriving", ({ detail: { fresh } }) => {
    for (const part of document.querySelectorAll("[data-keep-fields]")) {
      const next = part.id === fresh.id ? fresh : fresh.querySelector(`#${CSS.escape(part.id)}`);
      if (next) carryOver(part, next);
    }
  });
  document.addEventListener("rows-arriving", ({ detail: { list, fresh } }) => carryOver(list, fresh));
  // A refresh may have made what was chosen the field's default: clearing goes back to the first choice.
  document.addEventListener("reset", ({ target }) => {
    if (!target.closest("[data-keep-fields]")) return;
    window.setTimeout(() => {
      for (const select of target.querySelectorAll("select")) select.selectedIndex = 0;
    });
  });
}

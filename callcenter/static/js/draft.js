/* The wrap-up is kept in this tab, per call task, until it is saved: a reload or a lost line loses nothing. */

const PREFIX = "wrap-up:";

function draftForm() {
  return document.querySelector("form[data-draft]");
}

function fieldsOf(form) {
  return form.querySelectorAll("[data-keep][name]");
}

function keep(form) {
  const draft = {};
  for (const field of fieldsOf(form)) {
    if (["radio", "checkbox"].includes(field.type)) (draft[field.name] ??= []).push(...(field.checked ? [field.value] : []));
    else draft[field.name] = field.value;
  }
  try {
    sessionStorage.setItem(PREFIX + form.dataset.draft, JSON.stringify(draft));
  } catch {
    /* A full or forbidden store must not stop the agent. */
  }
}

function restore(form) {
  const stored = sessionStorage.getItem(PREFIX + form.dataset.draft);
  if (!stored) return;
  const draft = JSON.parse(stored);
  for (const field of fieldsOf(form)) {
    if (!(field.name in draft)) continue;
    if (["radio", "checkbox"].includes(field.type)) field.checked = draft[field.name].includes(field.value);
    else field.value = draft[field.name];
  }
  for (const more of form.querySelectorAll("details.suggestion")) {
    if (more.querySelector("textarea")?.value) more.open = true;
  }
}

/* Drafts of call tasks that are no longer before the agent are saved or gone. */
function forgetOthers(current) {
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith(PREFIX) && key !== PREFIX + current) sessionStorage.removeItem(key);
  }
}

let restored = null;

function follow() {
  const form = draftForm();
  const task = form?.dataset.draft ?? null;
  if (task && task !== restored) restore(form);
  if (task !== restored && document.getElementById("state")?.classList.contains("console")) forgetOthers(task);
  restored = task;
}

/* A callback time chosen by mistake is taken back by choosing it again. */
function takeBack(event) {
  const time = event.target;
  if (!time.matches?.('input[name="callback_at"]')) return;
  const wasChosen = "chosen" in time.dataset;
  for (const other of time.form.querySelectorAll('input[name="callback_at"]')) delete other.dataset.chosen;
  if (wasChosen) {
    time.checked = false;
    keep(time.form);
  } else {
    time.dataset.chosen = "";
  }
}

export function startDrafts() {
  document.addEventListener("click", takeBack);
  follow();
  document.addEventListener("state-changed", follow);
  for (const change of ["input", "change"]) {
    document.addEventListener(change, (event) => {
      const form = event.target.closest?.("form[data-draft]");
      if (form) keep(form);
    });
  }
}

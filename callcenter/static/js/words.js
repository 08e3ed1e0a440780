/* Sentences in the viewer's language, written into the page by the server. */

export function word(name, values = {}) {
  const entry = document.querySelector(`#words [data-word="${name}"]`);
  const text = entry ? entry.textContent.trim() : "";
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

/* Show a sentence that asks for attention; it stays until it is closed or replaced. */
export function showNotice(text) {
  const notice = document.getElementById("notice");
  notice.querySelector("p").textContent = text;
  notice.hidden = false;
}

export function hideNotice() {
  document.getElementById("notice").hidden = true;
}

/* Say a sentence to screen readers without moving the focus. */
export function say(text) {
  const spoken = document.getElementById("spoken");
  if (text && spoken.textContent !== text) spoken.textContent = text;
}

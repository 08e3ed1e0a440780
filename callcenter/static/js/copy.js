/* "Copy link": the address of what is on the screen, for a colleague; it opens the same view. "Copy": a secret that
   is shown once. */
import { say, word } from "./words.js";

/* Without a secure address (a house network, say) browsers keep the clipboard shut: then by a field, as ever. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = Object.assign(document.createElement("textarea"), { value: text, readOnly: true });
    field.className = "sr-only";
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}

export function startCopying() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy-link], [data-copy-text]");
    if (!button) return;
    const secret = button.dataset.copyText;
    const label = button.querySelector("span");
    const before = label.textContent;
    const link = () => new URL(button.dataset.copyLink || window.location.href, window.location.href).href;
    const done = await copied(secret ?? link());
    const kind = secret === undefined ? "" : "-text";
    label.textContent = word((done ? "copied" : "not-copied") + kind);
    say(label.textContent);
    button.focus();
    setTimeout(() => {
      label.textContent = before;
    }, 2000);
  });
}

/* "Copy link": the address of what is on the screen, for a colleague; it opens the same view. */
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
    const button = event.target.closest("[data-copy-link]");
    if (!button) return;
    const label = button.querySelector("span");
    const before = label.textContent;
    const done = await copied(new URL(button.dataset.copyLink || window.location.href, window.location.href).href);
    label.textContent = word(done ? "copied" : "not-copied");
    say(label.textContent);
    button.focus();
    setTimeout(() => {
      label.textContent = before;
    }, 2000);
  });
}

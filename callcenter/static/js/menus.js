/* Menus close when one clicks elsewhere; barred controls say why; tabs of the telephone layout; the dialog of keys. */
import { showNotice } from "./words.js";

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== except) menu.open = false;
  }
}

function markTabs() {
  const root = document.documentElement;
  for (const button of document.querySelectorAll("[data-set-tab], [data-set-side]")) {
    const chosen = button.dataset.setTab
      ? button.dataset.setTab === root.dataset.tab
      : button.dataset.setSide === (root.dataset.side ?? "script");
    button.setAttribute("aria-pressed", String(chosen));
  }
}

/* The list of pages may be longer than the screen: where one is must be in sight. */
function showWhereOneIs() {
  document.querySelector(".side-link[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
}

export function startMenus() {
  showWhereOneIs();
  markTabs();
  document.addEventListener("state-changed", markTabs);
  document.addEventListener("click", (event) => {
    const { target } = event;
    closeMenus(target.closest("details.menu"));
    const barred = target.closest('[aria-disabled="true"][data-why]');
    if (barred) {
      showNotice(barred.dataset.why);
      // It may have become possible since the last refresh: who presses again then has it.
      document.dispatchEvent(new CustomEvent("state-wanted"));
    }
    if (target.closest("[data-open-keys]")) document.getElementById("keys").showModal();
    const tab = target.closest("[data-set-tab]");
    if (tab) {
      document.documentElement.dataset.tab = tab.dataset.setTab;
      window.scrollTo({ top: 0 });
    }
    const side = target.closest("[data-set-side]");
    if (side) document.documentElement.dataset.side = side.dataset.setSide;
    if (tab || side) markTabs();
  });
  // Where a list opens to choose from, its first entry gets the focus: arrows choose, Enter sends.
  document.addEventListener(
    "toggle",
    (event) => {
      if (event.target.matches?.("details[open]")) event.target.querySelector("[data-first]")?.focus();
    },
    true,
  );
  // A choice in a menu closes it; the answer of the server brings the rest.
  document.addEventListener("submit", (event) => {
    const menu = event.target.closest("details.menu");
    if (menu && !event.target.matches(".preferences")) menu.open = false;
  });
}

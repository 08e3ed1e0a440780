/* Ticking clocks. Each counts from a time the server gave, corrected by the server's own clock. */
import { word } from "./words.js";

let offset = 0;

export function correctClocks() {
  const state = document.getElementById("state");
  if (state?.dataset.now) offset = Number(state.dataset.now) - Date.now();
  tick();
}

export function serverNow() {
  return Date.now() + offset;
}

export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function inWords(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const d = Math.floor(whole / 86400);
  const h = Math.floor(whole / 3600) % 24;
  const m = Math.floor(whole / 60) % 60;
  const s = whole % 60;
  if (d) return word("d", { d, h });
  if (h) return word("h", { h, m });
  return m ? word("m", { m, s }) : word("s", { s });
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function tick() {
  const now = serverNow();
  for (const element of document.querySelectorAll("[data-since]")) {
    const seconds = (now - Number(element.dataset.since)) / 1000;
    put(element, "words" in element.dataset ? inWords(seconds) : clock(seconds));
  }
  for (const element of document.querySelectorAll("[data-until]")) {
    const seconds = Math.max(0, (Number(element.dataset.until) - now) / 1000);
    if (element instanceof HTMLProgressElement) element.value = seconds;
    else put(element, clock(Math.ceil(seconds)));
  }
  for (const note of document.querySelectorAll("[data-live-note]")) {
    if (Number(note.dataset.liveNote) <= now) note.remove();
  }
  for (const wall of document.querySelectorAll("[data-wall-clock]")) {
    // The viewer's zone is the server's business: shift the printed time, do not reformat it.
    wall.dataset.from ??= `${wall.textContent.trim()}|${document.getElementById("state").dataset.now}`;
    const [printed, at] = wall.dataset.from.split("|");
    const [h, m, s] = printed.split(":").map(Number);
    const total = (h * 3600 + m * 60 + s + Math.floor((now - Number(at)) / 1000) + 86400) % 86400;
    const two = (n) => String(Math.floor(n)).padStart(2, "0");
    put(wall, `${two(total / 3600)}:${two((total / 60) % 60)}:${two(total % 60)}`);
  }
}

export function startClocks() {
  correctClocks();
  window.setInterval(tick, 500);
}

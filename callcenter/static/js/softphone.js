/* The softphone: this browser as the agent's telephone. One tab holds it; a line that rings is the agent's own
   way into their room and is taken at once. What it is doing stands in <html data-phone>, outside of what is
   replaced when the page is refreshed. Without a microphone, the SDK or a network the console works on. */
import { serverNow } from "./clocks.js";
import { csrfToken } from "./posts.js";
import { say, showNotice } from "./words.js";

const LOCK = "callcenter-softphone";
const RETRY_FIRST_MS = 1000;
const RETRY_MOST_MS = 30_000;
const LINE_COMES_WITHIN_MS = 4000;
const REGISTER_WITHIN_MS = 15_000;
/* A new token is wanted this long before the old one ends, at the latest this long before: time for most calls. */
const REFRESH_BEFORE_MS = 300_000;
const REFRESH_AT_LAST_MS = 20_000;
const BAD_TOKEN = new Set([20101, 20103, 20104, 20151, 31202, 31204, 31205, 31207]);
const MICROPHONE_TROUBLES = { 31401: "refused", 31402: "no-microphone" };

let state = null;
let why = "";
let isWanted = false;
let attempt = null;
let letGo = null; // ends our hold on the lock; null while another tab has it
let queue = null;
let device = null;
let line = null; // the SDK's call that keeps the agent in their room
let isMuted = false;
let isStarting = false;
let held = null; // what the server gave last: {kind, url, token, ...}
let expiresAt = 0;
let refreshIsDue = false;
let retries = 0;
let retryTimer = null;
let refreshTimer = null;

/* What keeps the softphone from working: the state to show, and a sentence of the server's, if any. */
class Trouble extends Error {
  constructor(shows, sentence = "") {
    super(shows);
    this.shows = shows;
    this.sentence = sentence;
  }
}

function onPage() {
  return document.getElementById("softphone");
}

function show(next, sentence = "") {
  const isNews = next !== state && state !== null;
  [state, why] = [next, sentence];
  document.documentElement.dataset.phone = next;
  draw();
  const words = document.querySelector(`#rail-phone [data-phone-is="${next}"]`);
  if (isNews && words) say(words.textContent.trim());
}

/* The page was replaced, or something changed: put back what only this browser knows. */
function draw() {
  for (const place of document.querySelectorAll("[data-phone-why]")) place.textContent = why;
  const button = document.querySelector("[data-phone-mute]");
  if (!button) return;
  button.setAttribute("aria-pressed", String(isMuted));
  button.setAttribute("aria-disabled", String(!line));
  button.title = line ? "" : button.dataset.why;
}

/* One tab holds the softphone. Whoever waits gets it when that tab is closed, or takes it over by choice. */

function holdIt() {
  return new Promise((resolve) => {
    letGo = resolve;
    start();
  });
}

function claim() {
  if (!navigator.locks || !navigator.mediaDevices) {
    show("failed");
    return;
  }
  navigator.locks
    .request(LOCK, { ifAvailable: true }, (lock) => (lock ? holdIt() : wait()))
    .catch(loseIt);
}

function wait() {
  show("elsewhere");
  queue = new AbortController();
  const { signal } = queue;
  navigator.locks
    .request(LOCK, { signal }, () => {
      queue = null;
      return holdIt();
    })
    .catch(() => signal.aborted || loseIt());
}

function takeOver() {
  queue?.abort();
  queue = null;
  if (!letGo) navigator.locks.request(LOCK, { steal: true }, holdIt).catch(loseIt);
}

function loseIt() {
  letGo = null;
  drop();
  if (isWanted) wait();
}

function giveUp() {
  queue?.abort();
  queue = null;
  drop();
  letGo?.();
  letGo = null;
  show("off");
}

/* The microphone: asked for by a click, after the reason has been read. */

async function permission() {
  try {
    const status = await navigator.permissions.query({ name: "microphone" });
    status.onchange = () => tryAgain();
    return status.state;
  } catch {
    return "prompt";
  }
}

async function testMicrophone(mayAsk) {
  if (!mayAsk && (await permission()) === "prompt") throw new Trouble("wanted");
  try {
    const sound = await navigator.mediaDevices.getUserMedia({ audio: true });
    for (const track of sound.getTracks()) track.stop();
  } catch (error) {
    if (!["NotAllowedError", "SecurityError"].includes(error.name)) throw new Trouble("no-microphone");
    throw new Trouble((await permission()) === "denied" ? "refused" : "wanted");
  }
}

/* Credentials and the SDK. */

async function credentials() {
  let answer;
  try {
    answer = await fetch("/console/softphone", {
      method: "POST",
      headers: { Accept: "application/json", "X-CSRFToken": csrfToken() },
      redirect: "manual",
    });
  } catch {
    throw new Trouble("away");
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok || !body.token) {
    throw new Trouble([403, 404, 409].includes(answer.status) ? "failed" : "away", body.message ?? "");
  }
  held = body;
  expiresAt = Date.parse(body.expires_at);
  return body;
}

/* A fault of the network is no reason for a new token. */
function isHeldGood() {
  return held !== null && expiresAt - serverNow() > REFRESH_BEFORE_MS;
}

function loadScript(url) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = resolve;
    script.onerror = () => {
      script.remove();
      reject(new Trouble("failed"));
    };
    document.head.append(script);
  });
}

async function deviceClass(kind) {
  if (kind === "simulator") return (await import("./softphone_simulator.js")).Device;
  if (!window.Twilio?.Device) await loadScript(onPage().dataset.sdk);
  if (!window.Twilio?.Device || window.Twilio.Device.isSupported === false) throw new Trouble("failed");
  return window.Twilio.Device;
}

/* Signing on, and again after trouble. */

async function start(mayAskForMicrophone = false) {
  if (!isWanted || !letGo || isStarting || device) return;
  isStarting = true;
  window.clearTimeout(retryTimer);
  retryTimer = null;
  if (state !== "away") show("starting");
  try {
    // The simulator carries no sound: nobody is asked for a microphone to try the product.
    if (onPage().dataset.kind !== "simulator") await testMicrophone(mayAskForMicrophone);
    const given = isHeldGood() ? held : await credentials();
    const Device = await deviceClass(given.kind);
    if (isWanted && letGo) signOn(Device, given);
  } catch (trouble) {
    if (isWanted && letGo) fail(trouble);
  } finally {
    isStarting = false;
  }
}

function signOn(Device, given) {
  const made = new Device(given.token, {
    ...(given.url ? { url: given.url } : {}),
    allowIncomingWhileBusy: true,
    appName: "callcenter",
    codecPreferences: ["opus", "pcmu"],
    disableAudioContextSounds: true,
    logLevel: "silent",
    maxCallSignalingTimeoutMs: 30_000,
    tokenRefreshMs: REFRESH_BEFORE_MS,
  });
  device = made;
  const hear = (name, act) => made.on(name, (...heard) => device === made && act(...heard));
  hear("registered", () => {
    retries = 0;
    show(line ? "talking" : "ready");
    askForLine(made);
  });
  hear("unregistered", () => line ?? fail(new Trouble("away")));
  hear("error", (error, call) => call ?? noteError(error));
  hear("incoming", take);
  hear("tokenWillExpire", () => {
    refreshIsDue = true;
    refresh();
  });
  for (const sound of ["incoming", "outgoing", "disconnect"]) made.audio?.[sound]?.(false);
  Promise.resolve(made.register()).catch((error) => device === made && noteError(error));
  window.setTimeout(() => {
    if (device === made && made.state !== "registered" && !line) fail(new Trouble("away"));
  }, REGISTER_WITHIN_MS);
}

/* An agent who becomes available is called at once, perhaps before this browser is a telephone: then nothing rang
   here. Say that it is one now, and once more in case that call was just failing. */
function askForLine(made, isLast = false) {
  if (device !== made || line) return;
  const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() };
  fetch("/console/softphone/ready", { method: "POST", headers, redirect: "manual" }).catch(() => {
    /* The stale note says it; the dial itself calls the agent too. */
  });
  if (!isLast) window.setTimeout(() => askForLine(made, true), LINE_COMES_WITHIN_MS);
}

function noteError(error) {
  const trouble = MICROPHONE_TROUBLES[error?.code];
  if (trouble) show(trouble);
  else if (BAD_TOKEN.has(error?.code) && !line) {
    held = null;
    drop();
    fail(new Trouble("away"));
  } else if (!line) fail(new Trouble("away"));
}

function fail(trouble) {
  show(trouble.shows ?? "failed", trouble.sentence);
  if (state === "away") retryLater();
}

function retryLater() {
  if (retryTimer !== null) return;
  const delay = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** retries) * (0.8 + 0.4 * Math.random());
  retries += 1;
  retryTimer = window.setTimeout(() => {
    retryTimer = null;
    tryAgain();
  }, delay);
}

/* A running line is left to the SDK, which mends it by itself; so is a device that has come back. */
function tryAgain({ isForced = false, mayAskForMicrophone = false } = {}) {
  if (isForced) retries = 0;
  else if (line || (device && device.state === "registered" && state === "ready")) return;
  drop();
  start(mayAskForMicrophone);
}

function drop() {
  const [old, hadLine] = [device, line];
  [device, line] = [null, null];
  try {
    hadLine?.disconnect();
    old?.destroy();
  } catch {
    /* A device that is broken already is gone, too. */
  }
  draw();
}

async function refresh() {
  window.clearTimeout(refreshTimer);
  if (!refreshIsDue || !device) return;
  // Between calls: changing the token may cost a second of sound. Not at all would cost the line.
  const mayWait = expiresAt - serverNow() - REFRESH_AT_LAST_MS;
  if (attempt && mayWait > 0) {
    refreshTimer = window.setTimeout(refresh, mayWait);
    return;
  }
  refreshIsDue = false;
  try {
    const given = await credentials();
    device?.updateToken(given.token);
  } catch {
    refreshIsDue = true;
    refreshTimer = window.setTimeout(refresh, 5000);
  }
}

/* The line. The product calls it only when the agent has none, so the newest is the right one. */

function take(call) {
  const old = line;
  line = call;
  old?.disconnect();
  const hear = (name, act) => call.on(name, (...heard) => line === call && act(...heard));
  hear("accept", () => {
    call.mute(isMuted);
    show("talking");
  });
  hear("reconnecting", () => show("connecting"));
  hear("reconnected", () => show("talking"));
  hear("mute", (muted) => setMuted(muted));
  for (const end of ["disconnect", "cancel", "reject"]) hear(end, () => hungUp());
  hear("error", noteError);
  show("connecting");
  call.accept();
}

function hungUp() {
  line = null;
  if (device?.state === "registered") {
    if (!["refused", "no-microphone"].includes(state)) show("ready");
  } else fail(new Trouble("away"));
  draw();
  refresh();
}

function setMuted(muted) {
  if (muted === isMuted) return;
  isMuted = muted;
  if (line && line.isMuted() !== muted) line.mute(muted);
  document.documentElement.toggleAttribute("data-phone-muted", muted);
  draw();
  const button = document.querySelector("[data-phone-mute]");
  if (button) say(muted ? button.dataset.sayMuted : button.dataset.sayHeard);
}

/* The keypad: while it is open digits go to the line, and nowhere else. */

function openKeypad() {
  return document.querySelector("details[data-keypad][open]");
}

function sendDigit(digit) {
  if (!line) {
    showNotice(openKeypad().dataset.why);
    return;
  }
  line.sendDigits(digit);
  document.getElementById("keypad-sent").append(digit);
}

function onKey(event) {
  if (!openKeypad() || event.ctrlKey || event.metaKey || event.altKey || !/^[0-9*#]$/.test(event.key)) return;
  if (event.target.matches?.("textarea, select, input:not([type='radio'], [type='checkbox'])")) return;
  event.preventDefault();
  event.stopPropagation();
  if (!event.repeat) sendDigit(event.key);
}

/* The page. */

function follow() {
  const here = onPage();
  const current = here?.dataset.attempt ?? null;
  // A mute ends with its call: the next customer must not meet silence.
  if (current !== attempt) {
    attempt = current;
    setMuted(false);
  }
  const wanted = Boolean(here && "wanted" in here.dataset);
  if (wanted && !isWanted) {
    isWanted = true;
    claim();
  } else if (!wanted && (isWanted || (here && state === null))) {
    isWanted = false;
    giveUp();
  }
  if (refreshIsDue && !attempt) refresh();
  draw();
}

function onClick(event) {
  const pressed = event.target.closest?.("button");
  if (!pressed) return;
  const { dataset } = pressed;
  if ("phoneMute" in dataset && line) setMuted(!isMuted);
  else if (dataset.phoneDigit) sendDigit(dataset.phoneDigit);
  else if ("phoneMicrophone" in dataset) tryAgain({ isForced: !line, mayAskForMicrophone: true });
  else if ("phoneTake" in dataset) takeOver();
  else if ("phoneAgain" in dataset) tryAgain({ isForced: true });
}

export function startSoftphone() {
  document.addEventListener("state-changed", follow);
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey, true);
  document.addEventListener(
    "toggle",
    (event) => {
      if (event.target.matches?.("[data-keypad]") && !event.target.open) {
        document.getElementById("keypad-sent").textContent = "";
      }
    },
    true,
  );
  navigator.mediaDevices?.addEventListener?.("devicechange", () => state === "no-microphone" && tryAgain());
  window.addEventListener("online", () => state === "away" && tryAgain({ isForced: !line }));
  window.addEventListener("beforeunload", (event) => line && attempt && event.preventDefault());
  window.addEventListener("pagehide", drop);
  window.addEventListener("pageshow", (event) => event.persisted && tryAgain());
  follow();
}

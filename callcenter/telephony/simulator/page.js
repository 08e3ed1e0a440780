const SHOWN_CALLS = 200;
const SHOWN_LINES = 300;
const LIVE = ["queued", "ringing", "in-progress"];
const FACTS = [
  ["most_calls_to_one_number", "Most calls to one number", (value) => value > 1],
  ["numbers_called_more_than_once", "Numbers called more than once", (value) => value.length > 0],
  ["answered_alone_over_2_s", "Answered, nobody there within 2 s", (value) => value.length > 0],
  ["live_calls", "Calls that live", () => false],
  ["calls_over_their_limit", "Calls over their time limit", (value) => value.length > 0],
  ["legs_left_in_rooms", "Ended legs still in rooms", (value) => value.length > 0],
  ["webhooks_undelivered", "Webhooks not delivered", (value) => value > 0],
  ["signed_but_refused", "Signed, but refused", (value) => value > 0],
  ["forged_but_accepted", "Badly signed, but accepted", (value) => value > 0],
];
const at = (id) => document.getElementById(id);
const calls = new Map();
let seq = 0;
let line = 0;

async function ask(path, method = "GET", body = undefined) {
  const answer = await fetch(`/_sim/${path}`, { method, body: body === undefined ? undefined : JSON.stringify(body) });
  return answer.status === 204 ? null : answer.json();
}

function made(tag, text, className) {
  const element = document.createElement(tag);
  if (text !== undefined && text !== null) element.textContent = text;
  if (className) element.className = className;
  return element;
}

function row(...cells) {
  const element = document.createElement("tr");
  for (const cell of cells) {
    const [content, className] = Array.isArray(cell) ? cell : [cell, ""];
    const place = made("td", content instanceof Node ? null : content, className);
    if (content instanceof Node) place.append(content);
    element.append(place);
  }
  return element;
}

function pressing(call) {
  const place = document.createDocumentFragment();
  const button = (press, label) => {
    const element = made("button", label);
    element.type = "button";
    element.setAttribute("aria-label", `${label} ${call.to}`);
    element.onclick = () => ask(`calls/${call.sid}/${press}`, "POST").then(refresh);
    place.append(element);
  };
  if (call.status === "ringing") {
    button("answer", "Answer");
    button("busy", "Busy");
  }
  if (call.status === "in-progress") button("hangup", "Hang up");
  return place;
}

function heard(call) {
  if (!call.hears) return "";
  return `${call.hears.kind}: ${call.hears.lines.join("; ") || "silence"}`;
}

function drawCalls() {
  const order = (call) => (LIVE.includes(call.status) ? "1" : "0") + call.created_at;
  const newest = [...calls.values()].sort((a, b) => order(b).localeCompare(order(a))).slice(0, SHOWN_CALLS);
  const kept = new Set(newest.map((call) => call.sid));
  for (const sid of calls.keys()) if (!kept.has(sid) && !LIVE.includes(calls.get(sid).status)) calls.delete(sid);
  at("calls").replaceChildren(...newest.map((call) => row(
    call.to || "the application", call.from,
    [call.answered_by ? `${call.status} (${call.answered_by})` : call.status, LIVE.includes(call.status) ? "live" : ""],
    call.room, [heard(call), "hears"], call.talked_s ? `${Math.round(call.talked_s)} s` : "", call.ended_by,
    pressing(call),
  )));
  at("no-calls").hidden = calls.size > 0;
}

function drawRooms(rooms) {
  const how = (leg) => [leg.label ?? calls.get(leg.call)?.to ?? leg.call, leg.joined ? "" : "being dialed",
    leg.muted ? "muted" : "", leg.hold ? "held" : "", leg.coaching ? "whispering" : ""].filter(Boolean).join(", ");
  const shown = rooms.flatMap((room) => {
    const list = made("ul");
    list.append(...room.legs.map((leg) => made("li", how(leg), "soft")));
    return [made("strong", `${room.name} ${room.status}${room.recorded ? ", recorded" : ""}`), list];
  });
  at("rooms").replaceChildren(...(shown.length ? shown : [made("p", "No room is open.")]));
}

function drawPhones({ absent, sessions }) {
  const list = made("ul");
  list.append(...sessions.map((each) => made("li",
    `${each.identity}: ${each.registered ? "registered" : "not registered"}${each.talking.length ? ", talking" : ""}`)));
  at("phones").replaceChildren(list, made("p", absent === "answer"
    ? "A softphone that nobody registered answers by itself."
    : "A softphone that nobody registered cannot be reached."));
}

function drawFacts(facts) {
  at("facts").replaceChildren(...FACTS.flatMap(([name, label, isBad]) => {
    const value = facts[name];
    const shown = Array.isArray(value) ? value.length : value;
    return [made("dt", label), made("dd", shown, isBad(value) ? "bad" : "")];
  }));
}

function time(text) {
  return text.slice(11, 23);
}

function drawLines(lines) {
  for (const each of lines) {
    line = Math.max(line, each.n);
    const { n, at: when, event, ...facts } = each;
    if (event.startsWith("webhook.")) {
      const answer = facts.status || facts.failure || event.slice(8);
      const isBad = event !== "webhook.delivered" || facts.status >= 400;
      at("deliveries").prepend(row(time(when), facts.kind, facts.what, facts.url,
        [answer, isBad ? "bad" : ""], facts.ms === undefined ? "" : `${facts.ms} ms`, facts.attempt));
    } else {
      const told = Object.entries(facts).filter(([, value]) => value !== null && value !== "");
      const words = told.map(([name, value]) => `${name}=${typeof value === "object" ? JSON.stringify(value) : value}`);
      const isBad = event === "alert.raised" || event === "simulator.failed";
      at("log").prepend(row(time(when), [event, isBad ? "bad" : ""], [words.join("  "), "facts"]));
    }
  }
  for (const id of ["deliveries", "log"]) while (at(id).rows.length > SHOWN_LINES) at(id).lastChild.remove();
}

function buildFaults() {
  const known = JSON.parse(at("faults").dataset.known);
  for (const [name, isTimed] of known) {
    const label = made("label", name + (isTimed ? " (s)" : ""));
    label.htmlFor = `fault-${name}`;
    const input = Object.assign(document.createElement("input"), { id: `fault-${name}`, name, type: "number",
      step: "any", min: name === "clock_skew" ? "" : "0", max: isTimed ? "" : "1", placeholder: "off" });
    input.onchange = () => (input.value === "" || Number(input.value) === 0
      ? ask(`faults/${name}`, "DELETE") : ask("faults", "PUT", { [name]: Number(input.value) })).then(refresh);
    at("faults").append(label, input);
  }
  at("faults").onsubmit = (event) => event.preventDefault();
  at("no-faults").onclick = () => ask("faults", "DELETE").then(refresh);
}

function drawFaults(faults) {
  for (const input of at("faults").elements) {
    const fault = faults[input.name];
    input.labels[0].className = fault ? "on" : "";
    if (document.activeElement !== input) input.value = fault ? (fault.seconds ?? fault.probability ?? "") : "";
    input.placeholder = fault?.next === undefined ? "off" : `next ${fault.next}`;
  }
}

function buildClock() {
  const form = at("clock");
  const tell = () => ask("clock", "PUT", form.mode.value === "fast"
    ? { speed: Number(form.speed.value) || 1 } : { mode: form.mode.value }).then(refresh);
  form.mode.onchange = tell;
  form.speed.onchange = tell;
  form.onsubmit = (event) => event.preventDefault();
  for (const button of form.querySelectorAll("[data-advance]")) {
    button.onclick = () => ask("clock/advance", "POST", { seconds: Number(button.dataset.advance) }).then(refresh);
  }
}

function drawClock(clock) {
  const form = at("clock");
  at("clock-shows").textContent = `${clock.now.slice(0, 19).replace("T", " ")} UTC`;
  if (document.activeElement !== form.mode) form.mode.value = clock.mode;
  if (document.activeElement !== form.speed && clock.mode === "fast") form.speed.value = clock.speed;
  at("speed-field").hidden = form.mode.value !== "fast";
  at("advance-fields").hidden = clock.mode !== "manual";
}

async function refresh() {
  try {
    const answer = await ask(`calls?after=${seq}`);
    if (answer.seq < seq) {
      calls.clear();
      line = 0;
    }
    seq = answer.seq;
    for (const call of answer.calls) calls.set(call.sid, call);
    if (answer.calls.length || !calls.size) drawCalls();
    const asked = ["rooms", "softphones", "invariants", "faults", "clock", `log?after=${line}`];
    const [rooms, phones, facts, faults, clock, log] = await Promise.all(asked.map((path) => ask(path)));
    drawRooms(rooms.rooms);
    drawPhones(phones);
    drawFacts(facts);
    drawFaults(faults);
    drawClock(clock);
    drawLines(log.lines);
    at("state").textContent = `${facts.live_calls.length} live, ${facts.calls} in all.`;
  } catch {
    at("state").textContent = "The simulator does not answer.";
  }
}

async function follow() {
  if (!document.hidden) await refresh();
  setTimeout(follow, 1000);
}

buildFaults();
buildClock();
follow();

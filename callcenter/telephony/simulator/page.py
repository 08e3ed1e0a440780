"""The control page: live calls with buttons for the far end. Self-contained, light and dark."""

import secrets

from werkzeug.wrappers import Response

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Carrier simulator</title>
<style nonce="NONCE">
:root { color-scheme: light dark; --line: light-dark(#d8dce2, #3a414b); --soft: light-dark(#5a6472, #a3adba);
  --live: light-dark(#0b6b3a, #6fd39b); --accent: light-dark(#1d4ed8, #93b4ff); }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.25rem; margin: 0; }
p { color: var(--soft); margin: .25rem 0 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 500; }
.live { color: var(--live); font-weight: 600; }
button { font: inherit; padding: .15rem .6rem; margin-right: .3rem; cursor: pointer; }
button:focus-visible { outline: 2px solid var(--accent); }
</style>
<h1>Carrier simulator</h1>
<p>You are the far end of these calls. <span id="state" role="status">Loading</span></p>
<div class="scroll"><table>
<thead><tr>
<th scope="col">To</th><th scope="col">From</th><th scope="col">Status</th><th scope="col">Room</th>
<th scope="col">Talked</th><th scope="col">Ended by</th><th scope="col">Far end</th></tr></thead>
<tbody id="calls"></tbody></table></div>
<script nonce="NONCE">
const SHOWN = 200, live = ["queued", "ringing", "in-progress"];
const calls = new Map(); let seq = 0;
const cell = (row, text) => { row.insertCell().textContent = text ?? ""; return row.lastChild; };
function button(place, call, press, label) {
  const made = document.createElement("button");
  made.textContent = label; made.setAttribute("aria-label", `${label} ${call.to}`);
  made.onclick = () => fetch(`/_sim/calls/${call.sid}/${press}`, {method: "POST"}).then(refresh);
  place.append(made);
}
function draw() {
  const newest = [...calls.values()].sort((a, b) => b.created_at.localeCompare(a.created_at)).slice(0, SHOWN);
  const body = document.getElementById("calls");
  body.replaceChildren(...newest.map(call => {
    const row = document.createElement("tr");
    cell(row, call.to); cell(row, call.from);
    cell(row, call.status).className = live.includes(call.status) ? "live" : "";
    cell(row, call.room); cell(row, call.talked_s ? `${Math.round(call.talked_s)} s` : "");
    cell(row, call.ended_by);
    const far = cell(row, "");
    if (call.status === "ringing") {
      button(far, call, "answer", "Answer"); button(far, call, "busy", "Busy"); }
    if (call.status === "in-progress") button(far, call, "hangup", "Hang up");
    return row;
  }));
}
async function refresh() {
  try {
    const answer = await (await fetch(`/_sim/calls?after=${seq}`)).json();
    if (answer.seq < seq) calls.clear();
    seq = answer.seq;
    for (const call of answer.calls) calls.set(call.sid, call);
    const count = [...calls.values()].filter(call => live.includes(call.status)).length;
    document.getElementById("state").textContent = `${count} live, ${calls.size} in all.`;
    if (answer.calls.length) draw();
  } catch { document.getElementById("state").textContent = "The simulator does not answer."; }
}
refresh(); setInterval(refresh, 1000);
</script>
</html>
"""


def control_page() -> Response:
    """The page, with a policy under which nothing but its own script and style runs, and no framing."""
    nonce = secrets.token_urlsafe(16)
    response = Response(PAGE.replace("NONCE", nonce), content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response

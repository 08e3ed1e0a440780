"""A tiny console on loopback: one call task that nobody answers, a session cookie, and refusals on demand."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from werkzeug.serving import make_server
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

PASSWORD = "a-password-of-the-demo"
TOKEN = '<input type="hidden" name="csrf_token" value="token-1" />'
TASK = "/console/call-tasks/0b5c"


def open_page(phase: str, presence: str = "available") -> str:
    """The parts of the console's HTML an agent acts on."""
    state = f'<div id="state" data-phase="{phase}" data-call-task="0b5c">'
    menu = f'<details id="presence" class="menu presence-{presence}"><summary>x</summary></details>'
    disabled = "" if phase == "wrapping" else " disabled"
    return f"""<html><body>{state}{menu}<p class="call-bar-label"> No answer </p>
      <form action="/console/presence">{TOKEN}<input name="presence" value="available"></form>
      <form action="{TASK}/dial">{TOKEN}<button type="submit">Dial</button></form>
      <form action="{TASK}/wrap-up">{TOKEN}
        <input type="radio" name="disposition" value="no_answer"><button{disabled}>Save</button></form>
    </div></body></html>"""


@dataclass
class FakeConsole:
    """Answers as the product does; each of `refusals`, an act and a status, is served once in turn."""

    refusals: deque[tuple[str, int]] = field(default_factory=deque)
    acts: list[str] = field(default_factory=list)
    dispositions: list[str] = field(default_factory=list)
    sign_ins: int = 0
    presence: str = "signed_off"
    phase: str = "idle"
    saw_sign_in: threading.Event = field(default_factory=threading.Event)
    sessions: set[str] = field(default_factory=set)

    def answer(self, request: Request) -> Response:
        if request.path == "/sign-in":
            return self._sign_in(request)
        if request.cookies.get("session") not in self.sessions:
            return Response("You are signed out.", status=401)
        act = "look" if request.path == "/console/state" else request.path.rpartition("/")[2]
        act = request.form.get("presence", act)
        if self.refusals and self.refusals[0][0] == act:
            _, status = self.refusals.popleft()
            if status == 401:
                self.sessions.clear()
            return Response("No.", status=status)
        if request.method == "POST":
            assert request.form["csrf_token"] == "token-1"
            self._do(act, request)
        return Response(open_page(self.phase, self.presence), mimetype="text/html")

    def _sign_in(self, request: Request) -> Response:
        if request.method == "GET":
            return Response(f'<form action="/sign-in" id="sign-in">{TOKEN}</form>', mimetype="text/html")
        assert request.form["csrf_token"] == "token-1"
        if request.form["password"] != PASSWORD:
            return Response("Wrong.", status=401)
        self.sign_ins += 1
        self.saw_sign_in.set()
        answer = redirect("/console")
        session = f"session-{self.sign_ins}"
        self.sessions.add(session)
        answer.set_cookie("session", session)
        return Response(answer.get_data(), status=302, headers=answer.headers)

    def _do(self, act: str, request: Request) -> None:
        self.acts.append(act)
        if act == "available":
            self.presence = "available"
            self.phase = "idle" if self.dispositions else "previewing"
        elif act == "dial":
            self.phase = "wrapping"
        elif act == "wrap-up":
            self.dispositions.append(request.form["disposition"])
            self.phase = "idle"


@contextmanager
def served_console(console: FakeConsole) -> Iterator[str]:
    """Serve on a free loopback port; yields the base URL."""
    server = make_server("127.0.0.1", 0, Request.application(console.answer), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""What a leg hears while it waits, is held or is spoken to: the document behind waitUrl, holdUrl, announceUrl.

The document is fetched once, signed, with the conference named; what it says is kept for whoever wants to
know what the customer hears. It does not change what the call does next. Call under the books' lock.
"""

from urllib.parse import urljoin

from .callbacks import call_params
from .records import Background, Call, Conference
from .twiml import Step, TwimlError, Verb, read_document
from .urls import is_loopback_url
from .webhooks import Reply, Webhook
from .world import World

ANNOUNCEMENT = "announcement"
TWIML_TYPES = ("text/xml", "application/xml", "text/html")
MOST_REDIRECTS = 5
ALERT_NOT_FETCHED, ALERT_BAD_TYPE, ALERT_BAD_URL = 11200, 12300, 11100


class Backgrounds:
    def __init__(self, world: World) -> None:
        self._world = world

    def play(self, call: Call, room: Conference, kind: str, url: str | None, method: str) -> None:
        """Let the leg hear this from now on: `url` None is the carrier's own music, "" is silence."""
        background = Background(kind, url or None, ["Play: the carrier's music"] if url is None else [])
        call.background = background
        self._world.books.touch(call)
        if url:
            self._fetch(call, room, background, method)

    def silence(self, call: Call) -> None:
        """The room itself, from now on."""
        if call.background is not None:
            call.background = None
            self._world.books.touch(call)

    def _fetch(self, call: Call, room: Conference, background: Background, method: str) -> None:
        url = background.url or ""
        if not is_loopback_url(url):
            self._world.journal.alert(ALERT_BAD_URL, "not a URL on the loopback interface", call.sid)
            return
        params = [
            *call_params(self._world, call),
            ("ConferenceSid", room.sid),
            ("FriendlyName", room.name),
        ]

        def arrived(reply: Reply) -> None:
            with self._world.books.lock:
                if call.is_live and call.background is background:
                    self._arrived(call, room, background, reply)

        lane = f"{call.sid}:{background.kind}"
        self._world.courier.send(Webhook("twiml", lane, url, params, method, arrived))

    def _arrived(self, call: Call, room: Conference, background: Background, reply: Reply) -> None:
        kind = reply.content_type.partition(";")[0].strip().lower()
        alert = self._world.journal.alert
        if not reply.is_success:
            text = f"HTTP {reply.status or reply.failure} for {background.kind}"
            alert(ALERT_NOT_FETCHED, text, call.sid)
        elif kind.startswith("audio/"):
            background.lines = [f"Play: {background.url}"]
        elif kind not in TWIML_TYPES:
            alert(ALERT_BAD_TYPE, f"content type {kind or 'missing'}", call.sid)
        else:
            try:
                self._hear(call, room, background, read_document(reply.body).steps)
            except TwimlError as error:
                alert(error.code, str(error), call.sid)
        self._world.books.touch(call)

    def _hear(self, call: Call, room: Conference, background: Background, steps: list[Step]) -> None:
        """Music and words go on until something else is heard; a document that only redirects is followed."""
        heard = [step for step in steps if step.verb is Verb.WAIT]
        onward = next((step for step in steps if step.verb is Verb.REDIRECT), None)
        background.lines = [step.says or f"Pause: {step.seconds:g} s" for step in heard]
        if background.kind == ANNOUNCEMENT:
            seconds = sum(step.seconds for step in heard)
            self._world.timers.after(seconds, lambda: self._over(call, background), scaled=True)
        elif not heard and onward is not None and background.redirects < MOST_REDIRECTS:
            background.redirects += 1
            background.url = urljoin(background.url or "", onward.url or "")
            self._fetch(call, room, background, onward.method)

    def _over(self, call: Call, background: Background) -> None:
        with self._world.books.lock:
            if call.background is background:
                self.silence(call)

"""Run a call's TwiML: fetch it, carry out its steps, fall back when it fails.

A call's `document` object stands for one run. Whatever arrives for an older object is ignored, so a
redirect and a late answer cannot mix. Call every method under the books' lock.
"""

from typing import Protocol
from urllib.parse import urljoin

from .background import TWIML_TYPES
from .callbacks import answered_by_params, call_params
from .records import Call, Document, EndedBy, Params
from .rooms import Rooms
from .twiml import Step, TwimlError, Verb, read_document
from .urls import is_loopback_url
from .webhooks import Reply, Webhook
from .world import World

MAX_DOCUMENTS = 100


class Lines(Protocol):
    """What running a document may do to its call."""

    def hang_up(self, call: Call, by: EndedBy) -> None: ...

    def refuse(self, call: Call, reason: str) -> None: ...

    def pick_up(self, call: Call) -> None: ...


class Documents:
    """`rooms` is given right after construction."""

    rooms: Rooms

    def __init__(self, world: World, lines: Lines) -> None:
        self._world = world
        self._lines = lines

    def begin(self, call: Call) -> None:
        """Run what the call was created with."""
        if call.order.url:
            self.fetch(call, call.order.url, call.order.method, answered_by_params(call))
        else:
            self.run_text(call, call.order.twiml or "")

    def run_text(self, call: Call, twiml: str) -> None:
        """Run inline TwiML."""
        call.document = Document(url=None)
        self._run_body(call, call.document, twiml)

    def fetch(self, call: Call, url: str, method: str, extra: Params | None = None) -> None:
        """Ask the product for TwiML and run the answer; this replaces what the call was running."""
        self._fetch(call, Document(url=url, method=method), extra)

    def resume(self, call: Call) -> None:
        """The `<Dial>` is over (the room let the call go): its action, else the next verb."""
        document = call.document
        if document is None or document.dialing is None:
            return
        step, document.dialing = document.dialing, None
        if step.url is not None:
            extra = [("DialCallStatus", "answered"), ("DialCallDuration", str(round(call.talked_s)))]
            self._redirect(call, document, step, extra)
        else:
            self._advance(call)

    def press(self, call: Call, digits: str) -> bool:
        """Keys pressed at the far end. False when nothing is gathering them."""
        document = call.document
        if document is None or document.gathering is None or not digits:
            return False
        step, document.gathering = document.gathering, None
        self._stop_waiting(call)
        taken = digits.partition("#")[0][: step.digits or None]
        self._redirect(call, document, step, [("Digits", taken), ("FinishedOnKey", "")])
        return True

    def _fetch(self, call: Call, document: Document, extra: Params | None = None) -> None:
        call.document = document
        call.documents_fetched += 1
        if call.documents_fetched > MAX_DOCUMENTS:
            self._world.journal.alert(11205, "too many documents in one call", call.sid)
            self._lines.hang_up(call, EndedBy.CARRIER)
            return
        params = call_params(self._world, call) + (extra or [])
        url = document.url or ""

        def arrived(reply: Reply) -> None:
            with self._world.books.lock:
                if call.is_live and call.document is document:
                    self._arrived(call, document, reply)

        lane = f"{call.sid}:twiml"
        self._world.courier.send(Webhook("twiml", lane, url, params, document.method, arrived))

    def _arrived(self, call: Call, document: Document, reply: Reply) -> None:
        kind = reply.content_type.partition(";")[0].strip().lower()
        if not reply.is_success:
            self._failed(call, document, 11200, f"HTTP {reply.status or reply.failure}")
        elif reply.body.strip() and kind not in TWIML_TYPES:
            self._failed(call, document, 12300, f"content type {kind or 'missing'}")
        else:
            self._run_body(call, document, reply.body)

    def _run_body(self, call: Call, document: Document, body: str) -> None:
        try:
            script = read_document(body)
        except TwimlError as error:
            self._failed(call, document, error.code, str(error))
            return
        for warning in script.warnings:
            self._world.journal.alert(12200, warning, call.sid)
        document.steps = list(script.steps)
        self._advance(call)

    def _failed(self, call: Call, document: Document, code: int, message: str) -> None:
        self._world.journal.alert(code, message, call.sid)
        fallback = call.order.fallback_url
        if fallback is None or document.is_fallback:
            self._lines.hang_up(call, EndedBy.CARRIER)
            return
        extra = [("ErrorCode", str(code)), ("ErrorUrl", document.url or "")]
        self._fetch(call, Document(fallback, call.order.fallback_method, is_fallback=True), extra)

    def _advance(self, call: Call) -> None:
        document = call.document
        if document is None or not call.is_live:
            return
        if not document.steps:
            self._lines.hang_up(call, EndedBy.PRODUCT)
            return
        self._carry_out(call, document, document.steps.pop(0))

    def _carry_out(self, call: Call, document: Document, step: Step) -> None:
        if step.verb is Verb.REJECT:
            self._lines.refuse(call, step.reason)
            return
        if step.verb is not Verb.REDIRECT:
            self._lines.pick_up(call)
        match step.verb:
            case Verb.WAIT:
                self._wait(call, document, step)
            case Verb.GATHER:
                document.gathering = step
                self._wait(call, document, step)
            case Verb.REDIRECT:
                self._redirect(call, document, step)
            case Verb.HANGUP:
                self._lines.hang_up(call, EndedBy.PRODUCT)
            case Verb.JOIN_ROOM if step.room is not None:
                document.dialing = step
                self.rooms.join(call, step.room)

    def _wait(self, call: Call, document: Document, step: Step) -> None:
        call.says = step.says
        self._world.books.touch(call)
        call.timers["step"] = self._world.timers.after(
            step.seconds, lambda: self._waited(call, document), scaled=True
        )

    def _waited(self, call: Call, document: Document) -> None:
        with self._world.books.lock:
            if call.document is document:
                document.gathering = None
                call.says = ""
                self._advance(call)

    def _stop_waiting(self, call: Call) -> None:
        call.says = ""
        if "step" in call.timers:
            call.timers.pop("step").cancel()

    def _redirect(self, call: Call, document: Document, step: Step, extra: Params | None = None) -> None:
        target = urljoin(document.url or call.order.url or "", step.url or "")
        if not is_loopback_url(target):
            self._world.journal.alert(11100, "not a URL on the loopback interface", call.sid)
            self._lines.hang_up(call, EndedBy.CARRIER)
            return
        self._fetch(call, Document(target, step.method), extra)

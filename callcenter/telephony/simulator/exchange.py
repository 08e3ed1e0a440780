"""The life of a call, from the queue to its end. The only module that changes a call's status.

Order of events: queued, initiated (left the calls-per-second queue), ringing, in-progress, ended. Public
methods take the books' lock themselves; times are simulated seconds unless a name says otherwise.
"""

import time
from random import Random

from .books import Call, CallOrder, CallStatus, EndedBy
from .callbacks import announce_call
from .documents import Documents
from .journal import masked
from .outcomes import Outcome, decide
from .rooms import Rooms
from .timers import Action
from .world import World

# The create request is answered before the network is heard of, as a rule; a fault turns that round.
LEAST_QUEUE_WAIT_S = 0.03
POST_DIAL_DELAY_S = 0.3
FAILURE_DELAY_S = 0.4
SIP_OK, SIP_NOT_FOUND, SIP_BUSY, SIP_TERMINATED = 200, 404, 486, 487


class Exchange:
    def __init__(self, world: World) -> None:
        self._world = world
        self._books = world.books
        self._next_slot = 0.0
        self.documents = Documents(world, self._hang_up)
        self.rooms = Rooms(world, on_left=self.documents.resume, on_company=self._company_changed)
        self.documents.rooms = self.rooms

    def place(self, order: CallOrder, *, at_once: bool = False) -> Call:
        """Queue a call; it is dialed when its turn in the calls-per-second queue comes, or `at_once`."""
        with self._books.lock:
            now = time.monotonic()
            slot = max(now, self._next_slot)
            self._next_slot = slot + 1 / self._world.settings.cps
            call = self._books.open_call(order, queue_ms=round((slot - now) * 1_000))
            self._world.journal.note("call.queued", call=call.sid, to=masked(order.to), wait_ms=call.queue_ms)
            if at_once:
                self._dial(call)
            else:
                wait = max(slot - now, LEAST_QUEUE_WAIT_S)
                self._later(call, "progress", wait, lambda: self._dial(call), scaled=False)
            return call

    def answer(self, call: Call) -> bool:
        """Pick up a ringing call. False when it was not ringing."""
        with self._books.lock:
            if call.status is not CallStatus.RINGING:
                return False
            self._cancel_timers(call)
            call.status, call.answered_at = CallStatus.IN_PROGRESS, self._books.now()
            self._books.touch(call)
            announce_call(self._world, call, "answered")
            self._later(call, "limit", call.order.time_limit_s, lambda: self._hang_up(call, EndedBy.CARRIER))
            self._far_end_leaves_in(call, call.fate.alone_s if call.fate else None)
            if call.order.url:
                self.documents.fetch(call, call.order.url, call.order.method)
            else:
                self.documents.run_text(call, call.order.twiml or "")
            return True

    def end(self, call: Call, status: CallStatus, by: EndedBy, sip_code: int) -> bool:
        """Finish a call. False when it had ended before."""
        with self._books.lock:
            if not call.is_live:
                return False
            self._cancel_timers(call)
            call.document = None
            call.status, call.ended_at, call.ended_by = status, self._books.now(), by
            call.sip_code = sip_code
            left = "participant_hung_up" if by is EndedBy.CUSTOMER else "participant_updated_via_api"
            self.rooms.leave(call, left)
            self._books.touch(call)
            announce_call(self._world, call, "completed")
            return True

    def cut(self, call: Call, by: EndedBy, *, even_when_talking: bool = True) -> bool:
        """Cancel a queued or ringing call; hang a talking one up unless `even_when_talking` is False."""
        with self._books.lock:
            if call.status is CallStatus.IN_PROGRESS:
                if not even_when_talking:
                    return False
                return self.end(call, CallStatus.COMPLETED, by, SIP_OK)
            return self.end(call, CallStatus.CANCELED, by, SIP_TERMINATED)

    def reject_as_busy(self, call: Call) -> bool:
        """The far end presses busy. False when the call was not ringing."""
        with self._books.lock:
            if call.status is not CallStatus.RINGING:
                return False
            return self.end(call, CallStatus.BUSY, EndedBy.CUSTOMER, SIP_BUSY)

    def hang_up_far_end(self, call: Call) -> bool:
        """The customer hangs up, or declines while it rings. False when there is nothing to hang up."""
        with self._books.lock:
            if call.status is CallStatus.RINGING:
                return self.reject_as_busy(call)
            if call.status is not CallStatus.IN_PROGRESS:
                return False
            return self.end(call, CallStatus.COMPLETED, EndedBy.CUSTOMER, SIP_OK)

    def redirect(self, call: Call, url: str | None, method: str, twiml: str | None) -> None:
        """Give a call in progress new instructions; it leaves its room without running the old ones on."""
        with self._books.lock:
            call.document = None
            if "step" in call.timers:
                call.timers.pop("step").cancel()
            self.rooms.leave(call, "participant_updated_via_api")
            if url:
                self.documents.fetch(call, url, method)
            else:
                self.documents.run_text(call, twiml or "")

    def _dial(self, call: Call) -> None:
        with self._books.lock:
            if not call.is_live:
                return
            order = call.order
            chance = Random(f"{self._world.settings.seed}:{call.number}")
            call.fate = decide(order.to, self._books.number_plans.get(order.to), chance)
            call.dialed_at = self._books.now()
            self._books.touch(call)
            announce_call(self._world, call, "initiated", status="initiated")
            if call.fate.outcome is Outcome.FAILED:
                self._end_later(call, FAILURE_DELAY_S, CallStatus.FAILED, SIP_NOT_FOUND)
            else:
                wait = POST_DIAL_DELAY_S if call.fate.ring_s else 0.0
                self._later(call, "progress", wait, lambda: self._ring(call))

    def _ring(self, call: Call) -> None:
        with self._books.lock:
            fate = call.fate
            if call.status is not CallStatus.QUEUED or fate is None:
                return
            call.status, call.ringing_at = CallStatus.RINGING, self._books.now()
            self._books.touch(call)
            announce_call(self._world, call, "ringing")
            picks_up = fate.outcome in (Outcome.HUMAN, Outcome.MACHINE) and fate.ring_s < call.order.timeout_s
            if fate.outcome is Outcome.BUSY:
                self._end_later(call, fate.ring_s, CallStatus.BUSY, SIP_BUSY)
            elif picks_up:
                self._later(call, "progress", fate.ring_s, lambda: self.answer(call))
            else:
                self._end_later(call, call.order.timeout_s, CallStatus.NO_ANSWER, SIP_TERMINATED)

    def _company_changed(self, call: Call) -> None:
        if call.status is not CallStatus.IN_PROGRESS or call.fate is None:
            return
        self._far_end_leaves_in(call, call.fate.talk_s if call.company_since else call.fate.alone_s)

    def _far_end_leaves_in(self, call: Call, seconds: float | None) -> None:
        if seconds is None:
            if "talk" in call.timers:
                call.timers.pop("talk").cancel()
            return
        self._later(call, "talk", seconds, lambda: self.hang_up_far_end(call))

    def _hang_up(self, call: Call, by: EndedBy) -> None:
        self.end(call, CallStatus.COMPLETED, by, SIP_OK)

    def _end_later(self, call: Call, seconds: float, status: CallStatus, sip_code: int) -> None:
        self._later(call, "progress", seconds, lambda: self.end(call, status, EndedBy.CARRIER, sip_code))

    def _later(self, call: Call, name: str, seconds: float, action: Action, *, scaled: bool = True) -> None:
        """One timer per name: a new one replaces the old."""
        if name in call.timers:
            call.timers[name].cancel()
        call.timers[name] = self._world.timers.after(seconds, action, scaled=scaled)

    def _cancel_timers(self, call: Call) -> None:
        for timer in call.timers.values():
            timer.cancel()
        call.timers.clear()

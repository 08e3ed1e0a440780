"""The life of a call, from the queue to its end. The only module that changes a call's status.

Order of events: queued, initiated (left the calls-per-second queue), ringing, in-progress, ended. Public
methods take the books' lock themselves; times are simulated seconds unless a name says otherwise.
"""

from random import Random

from .callbacks import announce_call
from .chance import Outcome
from .detection import Detector
from .documents import Documents
from .journal import masked
from .outcomes import Fate, campaign_of, decide
from .recordings import Recorder
from .records import Call, CallOrder, CallStatus, EndedBy
from .rooms import VIA_API, Rooms, reason_of
from .softphones import Softphones
from .timers import Action
from .world import World

# The create request is answered before the network is heard of, as a rule; a fault turns that round.
LEAST_QUEUE_WAIT_S = 0.03
POST_DIAL_DELAY_S = 0.3
FAILURE_DELAY_S = 0.4
SIP_OK, SIP_NOT_FOUND, SIP_BUSY, SIP_TERMINATED, SIP_UNAVAILABLE = 200, 404, 486, 487, 480


class Exchange:
    def __init__(self, world: World) -> None:
        self._world = world
        self._books = world.books
        self._next_slot = 0.0
        self._detector = Detector(world)
        self.recorder = Recorder(world)
        self.phones = Softphones(world, self)
        self.documents = Documents(world, self)
        self.rooms = Rooms(world, self.recorder, self._left_room, self._company_changed)
        self.documents.rooms = self.rooms

    def place(self, order: CallOrder, *, at_once: bool = False) -> Call:
        """Queue a call; it is dialed when its turn in the calls-per-second queue comes, or `at_once`."""
        with self._books.lock:
            now = self._world.timers.monotonic()
            slot = max(now, self._next_slot)
            self._next_slot = slot + 1 / self._world.limits.cps
            call = self._books.open_call(order, queue_ms=round((slot - now) * 1_000))
            if order.room is not None:
                self.rooms.expect(call, order.room)
            self._world.journal.note("call.queued", call=call.sid, to=masked(order.to), wait_ms=call.queue_ms)
            if at_once:
                self._dial(call)
            else:
                wait = max(slot - now, LEAST_QUEUE_WAIT_S)
                self._later(call, "progress", wait, lambda: self._dial(call), scaled=False)
            return call

    def place_from_softphone(self, order: CallOrder) -> Call:
        """A softphone calls the application: it hears ringing until the first verb is carried out."""
        with self._books.lock:
            call = self._books.open_call(order, queue_ms=0)
            now = self._books.now()
            call.fate = Fate(Outcome.MANUAL, ring_s=0.0, talk_s=None, patience_s=None)
            call.status, call.dialed_at, call.ringing_at = CallStatus.RINGING, now, now
            self._world.journal.note("call.connected", call=call.sid, caller=order.caller)
            self.documents.begin(call)
            return call

    def answer(self, call: Call) -> bool:
        """Pick up a ringing call. False when it was not ringing."""
        with self._books.lock:
            if call.status is not CallStatus.RINGING or call.order.from_softphone:
                return False
            self._cancel_timers(call)
            self._in_progress(call)
            self._far_end_leaves_in(call, call.fate.alone_s if call.fate else None)
            if call.order.amd is not None:
                self._detector.listen(call, call.order.amd, lambda: self._converse(call))
            else:
                self._converse(call)
            return True

    def end(self, call: Call, status: CallStatus, by: EndedBy, sip_code: int) -> bool:
        """Finish a call. False when it had ended before."""
        with self._books.lock:
            if not call.is_live:
                return False
            self._cancel_timers(call)
            call.document, call.says = None, ""
            call.status, call.ended_at, call.ended_by = status, self._books.now(), by
            call.sip_code = sip_code
            self.rooms.leave(call, reason_of(by))
            self.recorder.stop_all(call.sid)
            self._books.close_call(call)
            announce_call(self._world, call, "completed")
            self.phones.ended(call)
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
                if call.order.from_softphone:
                    return self.end(call, CallStatus.CANCELED, EndedBy.CUSTOMER, SIP_TERMINATED)
                return self.reject_as_busy(call)
            if call.status is not CallStatus.IN_PROGRESS:
                return False
            return self.end(call, CallStatus.COMPLETED, EndedBy.CUSTOMER, SIP_OK)

    def redirect(self, call: Call, url: str | None, method: str, twiml: str | None) -> None:
        """Give a call in progress new instructions; it leaves its room without running the old ones on."""
        with self._books.lock:
            call.document, call.says = None, ""
            if "step" in call.timers:
                call.timers.pop("step").cancel()
            self.rooms.leave(call, VIA_API)
            if url:
                self.documents.fetch(call, url, method)
            else:
                self.documents.run_text(call, twiml or "")

    def limit_changed(self, call: Call) -> None:
        """Its order has another time limit now; it counts from the answer."""
        with self._books.lock:
            if call.answered_at is not None:
                passed = call.duration_s(self._books.now())
                self._later(call, "limit", call.order.time_limit_s - passed, lambda: self._out_of_time(call))

    def press_keys(self, call: Call, digits: str) -> bool:
        """Keys at the far end. False when nothing gathers them."""
        with self._books.lock:
            self._world.journal.note("call.keys_pressed", call=call.sid, count=len(digits))
            return call.is_live and self.documents.press(call, digits)

    def hang_up(self, call: Call, by: EndedBy) -> None:
        """End it in the normal way, for `documents`."""
        if call.status is CallStatus.IN_PROGRESS:
            self.end(call, CallStatus.COMPLETED, by, SIP_OK)
        elif call.order.from_softphone:
            self.end(call, CallStatus.FAILED, by, SIP_UNAVAILABLE)
        else:
            self.cut(call, by)

    def refuse(self, call: Call, reason: str) -> None:
        """`<Reject>`: a call that a softphone makes is turned away; one we made is hung up."""
        if call.order.from_softphone and call.status is CallStatus.RINGING:
            status = CallStatus.BUSY if reason == "busy" else CallStatus.NO_ANSWER
            self.end(call, status, EndedBy.PRODUCT, SIP_BUSY)
        else:
            self.hang_up(call, EndedBy.PRODUCT)

    def pick_up(self, call: Call) -> None:
        """The first verb of a softphone's own call answers it."""
        if call.status is CallStatus.RINGING and call.order.from_softphone:
            self._in_progress(call)
            self.phones.answered(call)

    def _in_progress(self, call: Call) -> None:
        call.status, call.answered_at = CallStatus.IN_PROGRESS, self._books.now()
        self._books.touch(call)
        announce_call(self._world, call, "answered")
        self._later(call, "limit", call.order.time_limit_s, lambda: self._out_of_time(call))
        if call.order.recording is not None:
            self.recorder.start(call.order.recording, call=call)

    def _converse(self, call: Call) -> None:
        if call.order.room is not None:
            self.rooms.join(call, call.order.room)
        else:
            self.documents.begin(call)

    def _dial(self, call: Call) -> None:
        with self._books.lock:
            if not call.is_live:
                return
            call.fate = self._fate_of(call)
            call.dialed_at = self._books.now()
            self._books.touch(call)
            announce_call(self._world, call, "initiated", status="initiated")
            if call.fate.outcome is Outcome.FAILED:
                self._end_later(call, FAILURE_DELAY_S, CallStatus.FAILED, SIP_NOT_FOUND)
            elif call.client_identity is not None and not self.phones.can_ring(call):
                status, sip_code = self.phones.refusal(call)
                self._end_later(call, FAILURE_DELAY_S, CallStatus(status), sip_code)
            else:
                wait = POST_DIAL_DELAY_S if call.fate.ring_s else 0.0
                self._later(call, "progress", wait, lambda: self._ring(call))

    def _fate_of(self, call: Call) -> Fate:
        to = call.order.to
        plan = self._books.number_plans.get(to)
        if plan is None and self.phones.rings(call):
            return Fate(Outcome.MANUAL, ring_s=0.0, talk_s=None, patience_s=None)
        chance = Random(f"{self._world.settings.seed}:{call.number}")
        return decide(to, plan, chance, campaign_of(to, self._books.campaigns))

    def _ring(self, call: Call) -> None:
        with self._books.lock:
            fate = call.fate
            if call.status is not CallStatus.QUEUED or fate is None:
                return
            call.status, call.ringing_at = CallStatus.RINGING, self._books.now()
            self._books.touch(call)
            announce_call(self._world, call, "ringing")
            if fate.outcome is Outcome.BUSY:
                self._end_later(call, fate.ring_s, CallStatus.BUSY, SIP_BUSY)
            elif fate.outcome.picks_up and fate.ring_s < call.order.timeout_s:
                self._later(call, "progress", fate.ring_s, lambda: self.answer(call))
            else:
                self._end_later(call, call.order.timeout_s, CallStatus.NO_ANSWER, SIP_TERMINATED)
            if fate.outcome is Outcome.MANUAL:
                self.phones.ring(call)

    def _left_room(self, call: Call) -> None:
        if call.order.room is not None:
            self.hang_up(call, EndedBy.PRODUCT)
        else:
            self.documents.resume(call)

    def _company_changed(self, call: Call) -> None:
        if call.status is not CallStatus.IN_PROGRESS or call.fate is None:
            return
        self._far_end_leaves_in(call, call.fate.talk_s if call.company_since else call.fate.alone_s)
        if call.company_since and call.is_agent_leg and self._world.faults.strikes("agent_leg_drop"):
            seconds = self._world.faults.setting("agent_leg_drop")
            self._later(call, "drop", seconds, lambda: self.hang_up_far_end(call))

    def _far_end_leaves_in(self, call: Call, seconds: float | None) -> None:
        if seconds is None:
            if "talk" in call.timers:
                call.timers.pop("talk").cancel()
            return
        self._later(call, "talk", seconds, lambda: self.hang_up_far_end(call))

    def _out_of_time(self, call: Call) -> None:
        with self._books.lock:
            self.hang_up(call, EndedBy.CARRIER)

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

"""Calls at Twilio: placed once, ended, sent elsewhere, looked up, listed, told apart."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from callcenter.domain.enums import AttemptState, CallResult
from callcenter.domain.ports import (
    AmdPolicy,
    CallSnapshot,
    CallWish,
    NotProcessed,
    Placed,
    Placement,
    RecordPolicy,
    Rejected,
    RoomAnswer,
    Unknown,
)
from callcenter.telephony.refusals import is_gone, refusal_of
from callcenter.telephony.twilio_http import Failure, Refused, ask
from callcenter.telephony.twilio_line import TwilioLine

STATUS_EVENTS = ["initiated", "ringing", "answered", "completed"]
"""Sent as one key each: joined into one value they would leave every call at `initiated`."""
RECORDING_EVENTS = ["in-progress", "completed", "absent"]
"""One key each, too."""
CURRENT = "Twilio.CURRENT"
"""The recording that runs now."""
STATES: dict[str, tuple[AttemptState, CallResult | None]] = {
    "queued": (AttemptState.PLACED, None),
    "initiated": (AttemptState.INITIATED, None),
    "ringing": (AttemptState.RINGING, None),
    "in-progress": (AttemptState.ANSWERED, None),
    "answered": (AttemptState.ANSWERED, None),
    "completed": (AttemptState.ENDED, CallResult.COMPLETED),
    "busy": (AttemptState.ENDED, CallResult.BUSY),
    "no-answer": (AttemptState.ENDED, CallResult.NO_ANSWER),
    "failed": (AttemptState.ENDED, CallResult.FAILED),
    "canceled": (AttemptState.ENDED, CallResult.CANCELED),
}
SHORTEST_RING, LONGEST_RING = timedelta(seconds=15), timedelta(seconds=600)
LONGEST_CALL = timedelta(hours=4)
"""Twilio ends any call after four hours unless the account is set otherwise; the next dial connects anew."""
AGENT_RING = timedelta(seconds=30)
PAGE_SIZE, MOST_PAGES = 1000, 500
LONGEST_QUEUED = timedelta(hours=24)
"""Twilio gives up a call that has waited in its queue for so long."""
_FOUND_AT_MOST = 50
_EVENTS_AT_MOST = 20
_ATTEMPT_IN_URL = re.compile(r"/carrier/twilio/attempt/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/")


class TwilioCalls(TwilioLine):
    """The calls of `domain.ports.Carrier`."""

    def place(self, wish: CallWish) -> Placement:
        """Ask once for a call. Only a provable "not made" is not unknown; nothing is ever asked twice.

        Detection is asynchronous or not at all: the synchronous kind keeps the customer waiting in silence.

        What is recorded is this call, never the room: a room outlives many customers, and one file must not
        hold two customers' voices. The recording has what the customer says in one channel and what they hear
        in the other: so also what they hear on hold, and no whisper to the agent. It ends with the call.
        """
        more: dict[str, Any] = {}
        if wish.amd is AmdPolicy.LISTEN:
            more |= {
                "machine_detection": "Enable",
                "async_amd": "true",
                "async_amd_status_callback": self._urls.machine(wish.attempt_id),
                "async_amd_status_callback_method": "POST",
            }
        if wish.record is RecordPolicy.ON:
            more |= {
                "record": True,
                "recording_channels": "dual",
                "recording_status_callback": self._urls.recording(wish.attempt_id),
                "recording_status_callback_method": "POST",
                "recording_status_callback_event": RECORDING_EVENTS,
            }
        ring = min(max(wish.ring_timeout, SHORTEST_RING), LONGEST_RING)
        return self._create(wish.to, "attempt", wish.attempt_id, ring, wish.max_duration, more)

    def place_agent(self, agent_id: UUID, address: str) -> Placement:
        """Ask once for the call that brings an agent into their room, for a working day at the most."""
        return self._create(address, "agent", agent_id, AGENT_RING, LONGEST_CALL, {})

    def place_supervisor(self, watch_id: UUID, address: str) -> Placement:
        """Ask once for the call that brings a supervisor into a room."""
        return self._create(address, "watch", watch_id, AGENT_RING, LONGEST_CALL, {})

    def _create(
        self, to: str, kind: str, subject: UUID, ring: timedelta, longest: timedelta, more: dict[str, Any]
    ) -> Placement:
        made = ask(
            lambda: self._client.calls.create(
                to=to,
                from_=self._account.caller_id,
                url=self._urls.answer(kind, subject),
                method="POST",
                fallback_url=self._urls.fallback(kind, subject),
                fallback_method="POST",
                status_callback=self._urls.status(kind, subject),
                status_callback_method="POST",
                status_callback_event=STATUS_EVENTS,
                timeout=int(ring.total_seconds()),
                time_limit=max(1, int(min(longest, LONGEST_CALL).total_seconds())),
                **more,
            )
        )
        if isinstance(made, Failure):
            return _refused(made)
        if not made.sid:
            return Unknown("answer_without_sid")
        return Placed(str(made.sid), timedelta(milliseconds=_whole(made.queue_time) or 0))

    def hang_up(self, ref: str) -> bool:
        """End a call whatever its state; one that has ended already is fine. False: Twilio was not asked."""
        done = ask(lambda: self._client.calls(ref).update(status="completed"))
        return not isinstance(done, Failure) or is_gone(done)

    def move(self, ref: str, attempt_id: UUID) -> RoomAnswer:
        """Have a call in progress ask again where to go. Twilio refuses it for a call in any other state.

        A recording belongs to the call and goes on through the move: nothing is started or stopped here.
        """
        done = ask(
            lambda: self._client.calls(ref).update(
                url=self._urls.answer("attempt", attempt_id),
                method="POST",
                fallback_url=self._urls.fallback("attempt", attempt_id),
                fallback_method="POST",
            )
        )
        return answer_of(done)

    def pause_recording(self, ref: str, paused: bool) -> RoomAnswer:
        """Pause the call's recording that runs now, or go on; a pause is kept as silence, so that times stay right.

        GONE when nothing of the call is recorded.
        """
        if paused:
            change = {"status": "paused", "pause_behavior": "silence"}
        else:
            change = {"status": "in-progress"}
        return answer_of(ask(lambda: self._client.calls(ref).recordings(CURRENT).update(**change)))

    def lookup(self, ref: str) -> CallSnapshot | None:
        """Ask what became of a call; None when Twilio could not be asked. May lag behind callbacks."""
        call = ask(lambda: self._snapshot(self._client.calls(ref).fetch()))
        if isinstance(call, Refused) and call.status == 404:
            return CallSnapshot(ref, AttemptState.ENDED, CallResult.FAILED, "", None)
        return None if isinstance(call, Failure) else call

    def find(self, to: str, since: datetime) -> Sequence[CallSnapshot] | None:
        """List our calls to a number created since then; None when Twilio could not be asked.

        The creation time has a resolution of a second, hence the margin of two.
        """
        calls = ask(
            lambda: [
                self._snapshot(call)
                for call in self._client.calls.list(
                    to=to, from_=self._account.caller_id, limit=_FOUND_AT_MOST
                )
            ]
        )
        if isinstance(calls, Failure):
            return None
        earliest = since - timedelta(seconds=2)
        return [call for call in calls if call.created_at is None or call.created_at >= earliest]

    def calls_between(self, start: datetime, end: datetime) -> Sequence[CallSnapshot] | None:
        """List every call created in [start, end), also agents' and strangers'; None unless the list is whole.

        Twilio filters by start and end time only, and a call that waits in the queue, or was given up there,
        has neither: the list is read from the newest back, without a filter, until a whole page is older
        than any call that could still belong. Creation times are whole seconds, so `start` is cut to one.
        """
        calls = ask(lambda: list(self._back_to(start - LONGEST_QUEUED)))
        if isinstance(calls, Failure):
            return None
        first = start.replace(microsecond=0)
        return [call for call in calls if call.created_at is None or first <= call.created_at < end]

    def _back_to(self, oldest: datetime) -> Iterator[CallSnapshot]:
        page = self._client.calls.page(page_size=PAGE_SIZE)
        for _ in range(MOST_PAGES):
            calls = [self._snapshot(call) for call in page]
            yield from calls
            if all(call.created_at and call.created_at < oldest for call in calls):
                return
            page = page.next_page()
            if page is None:
                return
        raise ValueError("the list of calls has no end")

    def identify(self, ref: str) -> UUID | None:
        """Say for which attempt a call was placed, from the request that made it; None when it cannot tell.

        Twilio keeps the requests made about a call with their parameters, our callback addresses among them.
        Nothing else of them is read or kept.
        """
        events = ask(
            lambda: [event.request for event in self._client.calls(ref).events.list(limit=_EVENTS_AT_MOST)]
        )
        if isinstance(events, Failure):
            return None
        named = set(_ATTEMPT_IN_URL.findall(json.dumps(events, default=str)))
        return UUID(named.pop()) if len(named) == 1 else None

    def _snapshot(self, call: Any) -> CallSnapshot:
        """Read one call. An agent at an ordinary telephone cannot be told from a customer by this alone."""
        state, result = STATES.get(str(call.status), (AttemptState.PLACED, None))
        created, to = call.date_created, str(call.to or "")
        if isinstance(created, datetime) and created.tzinfo is None:
            created = created.replace(tzinfo=UTC)
        is_dial = call.direction in (None, "outbound-api") and not to.startswith(("client:", "sip:", "sips:"))
        return CallSnapshot(
            ref=str(call.sid),
            state=state,
            result=result,
            to=to,
            created_at=created if isinstance(created, datetime) else None,
            talk_seconds=_whole(call.duration),
            is_ours=is_dial and call._from == self._account.caller_id,
        )


def answer_of(done: object) -> RoomAnswer:
    """What became of a wish about a leg or a room: a benign race is no fault, anything else is asked again."""
    if not isinstance(done, Failure):
        return RoomAnswer.DONE
    return RoomAnswer.GONE if is_gone(done) else RoomAnswer.NOT_ASKED


def _refused(failure: Failure) -> Placement:
    if isinstance(failure, Refused):
        return Rejected(refusal_of(failure.code), str(failure.code))
    return failure if isinstance(failure, NotProcessed) else Unknown(failure.reason)


def _whole(value: object) -> int | None:
    text = str(value or "")
    return int(text) if text.isascii() and text.isdigit() else None

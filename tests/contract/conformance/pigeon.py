"""The adapter of Pigeon Post: how small one can be that keeps every promise."""

import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from callcenter.domain.enums import AnsweredBy, AttemptState, CallResult, SupervisorMode
from callcenter.domain.ports import (
    AmdPolicy,
    Answer,
    CallbackNews,
    CallbackRequest,
    CallSnapshot,
    CallWish,
    Capability,
    CarrierEvent,
    HangUp,
    JoinRoom,
    MachineHeard,
    NotProcessed,
    Placed,
    Placement,
    RecordingEvent,
    RecordingState,
    RecordPolicy,
    RefusalClass,
    Rejected,
    RoomAnswer,
    RoomChange,
    RoomEvent,
    RoomRole,
    SayAndHangUp,
    SoftphoneCredentials,
    Unknown,
)
from tests.contract.conformance.pigeon_exchange import (
    BUSY,
    NO_ANSWER,
    NORMAL,
    SEAL,
    Cut,
    Dispatch,
    Refusal,
    Unreached,
    seal_of,
)

_STATES = {
    "accepted": AttemptState.PLACED,
    "alerting": AttemptState.RINGING,
    "connected": AttemptState.ANSWERED,
    "released": AttemptState.ENDED,
}
_CAUSES = {
    None: CallResult.CANCELED,
    NORMAL: CallResult.COMPLETED,
    BUSY: CallResult.BUSY,
    NO_ANSWER: CallResult.NO_ANSWER,
}
_REFUSALS = {"unallocated_number": RefusalClass.INVALID_DESTINATION}
_CHANGES = {
    "entered": RoomChange.JOINED,
    "left": RoomChange.LEFT,
    "flags": RoomChange.CHANGED,
    "shut": RoomChange.ENDED,
}
_TAPES = {"turning": RecordingState.RUNNING, "wound": RecordingState.READY}
_HEARD = {"person": AnsweredBy.HUMAN, "box": AnsweredBy.MACHINE}
_MODES = {
    SupervisorMode.MONITOR: {"silent": True, "hint": False},
    SupervisorMode.WHISPER: {"silent": False, "hint": True},
    SupervisorMode.BARGE: {"silent": False, "hint": False},
}


class PigeonCarrier:
    """`domain.ports.Carrier` on Pigeon Post. `request` is the wire."""

    def __init__(self, request: Callable[..., Any], key: bytes) -> None:
        self.request, self.key = request, key

    # -- calls

    def place(self, wish: CallWish) -> Placement:
        wants = {"ear": wish.amd is AmdPolicy.LISTEN, "tape": wish.record is RecordPolicy.ON}
        return self._order(wish.to, f"attempt:{wish.attempt_id}", wants)

    def place_agent(self, agent_id: UUID, address: str) -> Placement:
        return self._order(address, f"agent:{agent_id}", {})

    def place_supervisor(self, watch_id: UUID, address: str) -> Placement:
        return self._order(address, f"watch:{watch_id}", {})

    def _order(self, to: str, tag: str, wants: dict[str, bool]) -> Placement:
        try:
            return Placed(self.request("order", to=to, tag=tag, wants=wants))
        except Unreached:
            return NotProcessed(timedelta(seconds=2))
        except Refusal as no:
            if no.wait is not None:
                return NotProcessed(timedelta(seconds=no.wait))
            return Rejected(_REFUSALS.get(no.code, RefusalClass.CONFIG), no.code)
        except Cut as cut:
            return Unknown(str(cut))

    def _wish(self, verb: str, **asked: Any) -> RoomAnswer:
        try:
            self.request(verb, **asked)
        except Refusal as no:
            return RoomAnswer.GONE if no.code in ("no_such_thing", "wrong_state") else RoomAnswer.NOT_ASKED
        except (Unreached, Cut):
            return RoomAnswer.NOT_ASKED
        return RoomAnswer.DONE

    def hang_up(self, ref: str) -> bool:
        return self._wish("release", ref=ref) is not RoomAnswer.NOT_ASKED

    def move(self, ref: str, attempt_id: UUID) -> RoomAnswer:
        return self._wish("redirect", ref=ref)

    # -- rooms

    def hold(self, room: str, ref: str, language: str) -> RoomAnswer:
        return self._wish("flag", loft=room, ref=ref, parked=True)

    def unhold(self, room: str, ref: str) -> RoomAnswer:
        return self._wish("flag", loft=room, ref=ref, parked=False)

    def mute(self, room: str, ref: str, muted: bool) -> RoomAnswer:
        return self._wish("flag", loft=room, ref=ref, silent=muted)

    def set_mode(self, room: str, ref: str, mode: SupervisorMode, agent_ref: str) -> RoomAnswer:
        return self._wish("flag", loft=room, ref=ref, **_MODES[mode])

    def remove(self, room: str, ref: str) -> RoomAnswer:
        return self._wish("expel", loft=room, ref=ref)

    def end_room(self, room: str) -> RoomAnswer:
        return self._wish("close", loft=room)

    # -- recordings

    def pause_recording(self, ref: str, paused: bool) -> RoomAnswer:
        return self._wish("tape", ref=ref, paused=paused)

    def recording(self, ref: str) -> bytes | None:
        sound: bytes | None = self._ask("sound", tape=ref)
        return sound

    # -- questions

    def _ask(self, verb: str, **asked: Any) -> Any:
        try:
            return self.request(verb, **asked)
        except (Unreached, Cut, Refusal):
            return None

    def lookup(self, ref: str) -> CallSnapshot | None:
        found = self._ask("show", ref=ref)
        return None if found is None else _snapshot(found)

    def find(self, to: str, since: datetime) -> Sequence[CallSnapshot] | None:
        found = self._ask("list")
        return None if found is None else [_snapshot(d) for d in found if d.to == to and d.at >= since]

    def calls_between(self, start: datetime, end: datetime) -> Sequence[CallSnapshot] | None:
        found = self._ask("list")
        return None if found is None else [_snapshot(d) for d in found if start <= d.at < end]

    def identify(self, ref: str) -> UUID | None:
        found = self._ask("show", ref=ref)
        kind, _, subject = (found.tag if found else "").partition(":")
        return UUID(subject) if kind == "attempt" else None

    # -- softphones

    def softphone_credentials(self, agent_id: UUID, ttl: timedelta, now: datetime) -> SoftphoneCredentials:
        who, until = f"perch-{agent_id.hex}", now + ttl
        proof = hmac.new(self.key, f"{who}|{until.isoformat()}".encode(), hashlib.sha256).hexdigest()
        return SoftphoneCredentials(f"{who}|{until.isoformat()}|{proof}", who, until)

    # -- callbacks

    def verify(self, request: CallbackRequest) -> bool:
        seal = request.headers.get(SEAL, "")
        return hmac.compare_digest(seal.encode(), seal_of(self.key, request.target, request.form).encode())

    def parse(self, request: CallbackRequest) -> Sequence[CallbackNews]:
        try:
            raw = json.loads(dict(request.form)["news"])
            return (_read(raw, f"pigeon-{raw['no']}"),)
        except (KeyError, ValueError, TypeError):
            return ()

    def answer(self, decision: Answer) -> str:
        if isinstance(decision, JoinRoom):
            silent = decision.role is RoomRole.SUPERVISOR
            said = {"do": "enter", "loft": decision.room, "owner": str(decision.agent_id), "silent": silent}
        elif isinstance(decision, HangUp):
            said = {"do": "release"}
        else:
            then = "release" if isinstance(decision, SayAndHangUp) else "wait"
            said = {"do": "coo", "text": decision.message, "tongue": decision.language, "then": then}
        return json.dumps(said)

    def capabilities(self) -> frozenset[Capability]:
        return frozenset(Capability)


def _snapshot(found: Dispatch) -> CallSnapshot:
    has_ended = found.state == "released"
    return CallSnapshot(
        ref=found.ref,
        state=_STATES[found.state],
        result=_CAUSES[found.cause] if has_ended else None,
        to=found.to,
        created_at=found.at,
        is_ours=found.tag.startswith("attempt:"),
    )


def _read(raw: dict[str, Any], key: str) -> CallbackNews:
    kept = {name: str(value) for name, value in raw.items()}
    if raw["about"] == "leg":
        state = _STATES[raw["is"]]
        result = _CAUSES[raw["cause"]] if state is AttemptState.ENDED else None
        return CarrierEvent(raw["leg"], key, state, result, raw=kept)
    if raw["about"] == "ear":
        return MachineHeard(raw["leg"], key, _HEARD[raw["heard"]], raw["ms"], raw=kept)
    if raw["about"] == "tape":
        return RecordingEvent(raw["tape"], key, _TAPES[raw["is"]], raw["leg"], raw=kept)
    flags = raw.get("flags", {})
    return RoomEvent(
        room=raw["loft"],
        key=key,
        change=_CHANGES[raw["change"]],
        ref=raw.get("leg"),
        muted=flags.get("silent"),
        held=flags.get("parked"),
        coaching=flags.get("hint"),
        sequence=raw["nth"],
        room_ref=raw["life"],
        raw=kept,
    )

"""Pigeon Post, a carrier that exists only here, and is nothing like Twilio.

Its calls are dispatches with numbers, its rooms are lofts that are opened by hand, its states are those of ISDN
with causes by number; it tells everything as JSON in one field, sealed with an HMAC over target and form, and takes
answers as JSON. Time passes only when `step` is called.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from callcenter.domain.ports import CallbackRequest

SEAL = "Pigeon-Seal"
NORMAL, BUSY, NO_ANSWER = 16, 17, 19


class Unreached(Exception):
    """No line to the exchange: nothing was sent."""


class Cut(Exception):
    """The line broke, or the exchange has a fault: who knows what was done."""


class Refusal(Exception):
    """The exchange says no. `code` is one of its own words; `wait` is set when it was merely too busy."""

    def __init__(self, code: str, wait: float | None = None) -> None:
        super().__init__(code)
        self.code, self.wait = code, wait


def seal_of(key: bytes, target: str, form: Any) -> str:
    """The seal of a message: over where it goes and everything in it."""
    text = json.dumps([target, [list(pair) for pair in form]])
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


@dataclass
class Dispatch:
    """One call."""

    ref: str
    to: str
    tag: str
    """Whose call it is, as the orderer wrote it: `attempt:ID`."""
    line: str
    wants: dict[str, bool]
    state: str = "accepted"
    cause: int | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    loft: str | None = None
    flags: dict[str, bool] = field(default_factory=lambda: {"silent": False, "parked": False, "hint": False})
    tape: str | None = None
    tape_paused: bool = False


@dataclass
class Loft:
    """One life of a room: its events are counted."""

    life: str
    owner: str
    count: int = 0


class Exchange:
    """The carrier's own books and bells. `ask` and `tell` reach the customer of the carrier: us."""

    def __init__(
        self, key: bytes, ask: Callable[[str], str], tell: Callable[[CallbackRequest], None]
    ) -> None:
        self._key, self._ask, self._tell = key, ask, tell
        self.dispatches: dict[str, Dispatch] = {}
        self.lofts: dict[str, Loft] = {}
        self.plans: dict[str, str] = {}
        self.tapes: dict[str, bytes] = {}
        self.trouble: str | None = None
        self.orders = 0
        self.lags = False
        self._numbers, self._news = count(1), count(1)

    # -- what may be asked

    def request(self, verb: str, **asked: Any) -> Any:
        """Do one thing. Raises Unreached, Cut or Refusal."""
        return getattr(self, f"do_{verb}")(**asked)

    def do_order(self, to: str, tag: str, wants: dict[str, bool]) -> str:
        """Take an order for a call."""
        self.orders += 1
        trouble, self.trouble = self.trouble, None
        if trouble == "too_many":
            raise Refusal("congestion", wait=3.0)
        if trouble == "fault_before":
            raise Cut("fault")
        line = self.plans.get(to, "answers")
        if line == "invalid":
            raise Refusal("unallocated_number")
        made = Dispatch(f"pigeon-{next(self._numbers)}", to, tag, line, wants)
        self.dispatches[made.ref] = made
        if trouble in ("fault_after", "cut_after"):
            raise Cut(trouble)
        return made.ref

    def do_release(self, ref: str) -> None:
        """End a call."""
        found = self._live(ref)
        self._end(found, NORMAL)

    def do_redirect(self, ref: str) -> None:
        """Ask again where a call that is connected shall go."""
        found = self._live(ref)
        if found.state != "connected":
            raise Refusal("wrong_state")
        self._leave(found)
        self._follow(found)

    def do_flag(self, loft: str, ref: str, **flags: bool) -> None:
        """Change how a call takes part in a loft; all flags in one step."""
        found = self._within(loft, ref)
        found.flags |= flags
        self._loft_news(found, "flags")

    def do_expel(self, loft: str, ref: str) -> None:
        """Put a call out of a loft, which ends it."""
        self._end(self._within(loft, ref), NORMAL)

    def do_close(self, loft: str) -> None:
        """Close a loft and end every call in it."""
        if loft not in self.lofts:
            raise Refusal("no_such_thing")
        for found in list(self.dispatches.values()):
            if found.loft == loft:
                self._end(found, NORMAL)
        if loft in self.lofts:
            self._shut(loft)

    def do_tape(self, ref: str, paused: bool) -> None:
        """Pause the tape of a call, or let it run."""
        found = self._live(ref)
        if found.tape is None:
            raise Refusal("no_such_thing")
        found.tape_paused = paused

    def do_sound(self, tape: str) -> bytes:
        """Hand out a finished tape."""
        if tape not in self.tapes:
            raise Refusal("no_such_thing")
        return self.tapes[tape]

    def do_show(self, ref: str) -> Dispatch:
        """Show one call."""
        if ref not in self.dispatches:
            raise Refusal("no_such_thing")
        return self.dispatches[ref]

    def do_list(self) -> list[Dispatch]:
        """List all calls; a list that lags has none of the new ones."""
        return [] if self.lags else list(self.dispatches.values())

    # -- what goes on

    def step(self) -> None:
        """Let every call go on by one state."""
        for found in list(self.dispatches.values()):
            if found.state == "accepted":
                self._is(found, "alerting")
            elif found.state == "alerting" and found.line == "busy":
                self._end(found, BUSY)
            elif found.state == "alerting" and found.line == "no_answer":
                self._end(found, NO_ANSWER)
            elif found.state == "alerting":
                self._is(found, "connected")
                self._picks_up(found)

    def _picks_up(self, found: Dispatch) -> None:
        if found.wants.get("tape"):
            found.tape = f"tape-{found.ref}"
            self._say(found.tag, {"about": "tape", "tape": found.tape, "leg": found.ref, "is": "turning"})
        self._follow(found)
        if found.wants.get("ear") and found.state == "connected":
            who = "box" if found.line == "machine" else "person"
            self._say(found.tag, {"about": "ear", "leg": found.ref, "heard": who, "ms": 900})

    def _follow(self, found: Dispatch) -> None:
        answer = json.loads(self._ask(found.tag) or '{"do": "release"}')
        if answer["do"] == "enter":
            name, owner = answer["loft"], answer["owner"]
            self.lofts.setdefault(name, Loft(f"life-{next(self._news)}", owner))
            found.loft = name
            found.flags = {"silent": bool(answer["silent"]), "parked": False, "hint": False}
            self._loft_news(found, "entered")
        elif answer["do"] == "release" or answer.get("then") == "release":
            self._end(found, NORMAL)

    def _is(self, found: Dispatch, state: str) -> None:
        found.state = state
        self._say(
            found.tag, {"about": "leg", "leg": found.ref, "is": state, "cause": found.cause}, callee=found.to
        )

    def _end(self, found: Dispatch, cause: int) -> None:
        was_connected = found.state == "connected"
        self._leave(found)
        found.cause = cause if was_connected or cause != NORMAL else None
        self._is(found, "released")
        if found.tape:
            self.tapes[found.tape] = b"RIFF\x24\x00\x00\x00WAVEfmt "
            self._say(found.tag, {"about": "tape", "tape": found.tape, "leg": found.ref, "is": "wound"})

    def _leave(self, found: Dispatch) -> None:
        if found.loft is None:
            return
        name = found.loft
        self._loft_news(found, "left")
        found.loft = None
        if not any(other.loft == name for other in self.dispatches.values()):
            self._shut(name)

    def _shut(self, name: str) -> None:
        self._loft_say(name, {"change": "shut"})
        del self.lofts[name]

    def _loft_news(self, found: Dispatch, change: str) -> None:
        assert found.loft
        self._loft_say(found.loft, {"change": change, "leg": found.ref, "flags": dict(found.flags)})

    def _loft_say(self, name: str, news: dict[str, Any]) -> None:
        loft = self.lofts[name]
        loft.count += 1
        told = {"about": "loft", "loft": name, "life": loft.life, "nth": loft.count, **news}
        self._say(f"room:{loft.owner}", told)

    def _say(self, tag: str, news: dict[str, Any], **more: str) -> None:
        kind, _, subject = tag.partition(":")
        target = f"/carrier/pigeon/{kind}/{subject}/news"
        form = [("news", json.dumps({"no": next(self._news), **news})), *more.items()]
        self._tell(CallbackRequest(target, form, {SEAL: seal_of(self._key, target, form)}))

    def _live(self, ref: str) -> Dispatch:
        found = self.do_show(ref)
        if found.state == "released":
            raise Refusal("no_such_thing")
        return found

    def _within(self, loft: str, ref: str) -> Dispatch:
        found = self._live(ref)
        if found.loft != loft:
            raise Refusal("no_such_thing")
        return found

"""Browser softphones: who is registered, whose calls ring where, and what each is told.

A session is one `Device` of a page: it lives by its token and its event stream, and for a few seconds
without the stream, so that a page may reconnect. Everything runs under the books' lock.
"""

import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Protocol

from .records import Call, CallOrder, CallStatus
from .streams import Stream
from .timers import Timer
from .tokens import Grant
from .world import World

RECONNECT_WITHIN_S = 5.0
MOST_PARAMS = 50
ABSENT = ("answer", "unreachable")


class Switchboard(Protocol):
    """What a softphone may do to calls."""

    def answer(self, call: Call) -> bool: ...

    def reject_as_busy(self, call: Call) -> bool: ...

    def hang_up_far_end(self, call: Call) -> bool: ...

    def press_keys(self, call: Call, digits: str) -> bool: ...

    def place_from_softphone(self, order: CallOrder) -> Call: ...


class PhoneError(Exception):
    """A softphone's request that cannot be done; code and text as the browser library knows them."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


@dataclass(slots=True)
class Session:
    id: str
    grant: Grant
    stream: Stream | None = None
    is_registered: bool = False
    allows_busy: bool = False
    """Offer it further calls while it is in one, as `allowIncomingWhileBusy` asks."""
    ringing: set[str] = field(default_factory=set)
    talking: set[str] = field(default_factory=set)
    losing: Timer | None = None

    @property
    def is_free(self) -> bool:
        can_take = self.allows_busy or not self.talking
        return self.is_registered and self.stream is not None and can_take

    def tell(self, event: str, **facts: Any) -> None:
        if self.stream is not None:
            self.stream.tell(event, facts)


class Softphones:
    def __init__(self, world: World, switchboard: Switchboard) -> None:
        self._world = world
        self._switchboard = switchboard
        self._lock = world.books.lock
        self._sessions: dict[str, Session] = {}
        self.absent = "answer"
        """What a call to an identity that nobody registered gets: an answer at once, or nobody."""

    # -- what the exchange asks and tells

    def rings(self, call: Call) -> bool:
        """Is a softphone registered that this call is meant for?"""
        return bool(self._registered(call.client_identity))

    def can_ring(self, call: Call) -> bool:
        """False when its softphones are all in a call, or none is there and none is pretended."""
        has_plan = call.order.to in self._world.books.number_plans
        found = self._registered(call.client_identity)
        if has_plan or not found:
            return has_plan or self.absent == "answer"
        return any(session.is_free for session in found)

    def refusal(self, call: Call) -> tuple[str, int]:
        """How a call ends that cannot ring."""
        return ("busy", 486) if self.rings(call) else ("no-answer", 480)

    def ring(self, call: Call) -> None:
        """Offer a ringing call to every free softphone of its identity."""
        for session in self._registered(call.client_identity):
            if session.is_free:
                session.ringing.add(call.sid)
                session.tell("incoming", **self._facts(call))

    def answered(self, call: Call) -> None:
        """A call that a softphone made has been answered."""
        for session in self._sessions.values():
            if call.sid in session.talking:
                session.tell("accepted", call_sid=call.sid)

    def ended(self, call: Call) -> None:
        for session in self._sessions.values():
            if call.sid in session.ringing:
                session.ringing.discard(call.sid)
                session.tell("canceled", call_sid=call.sid)
            if call.sid in session.talking:
                session.talking.discard(call.sid)
                session.tell("ended", call_sid=call.sid, status=call.status.value)

    # -- what a page asks

    def open(self, grant: Grant, *, allows_busy: bool = False) -> Session:
        with self._lock:
            session = Session(secrets.token_urlsafe(24), grant, allows_busy=allows_busy)
            self._sessions[session.id] = session
            self._lose_later(session)
            return session

    def find(self, session_id: str) -> Session:
        session = self._sessions.get(session_id)
        if session is None:
            raise PhoneError(31005, "The session is gone; register again", 404)
        return session

    def attach(self, session: Session, stream: Stream) -> None:
        """Its events go here from now on; what rings already is told again."""
        with self._lock:
            if session.losing is not None:
                session.losing.cancel()
            if session.stream is not None:
                session.stream.is_open = False
            session.stream = stream
            session.tell("ready", identity=session.grant.identity)
            for sid in session.ringing:
                session.tell("incoming", **self._facts(self._world.books.calls[sid]))

    def detached(self, session: Session, stream: Stream) -> None:
        with self._lock:
            if session.stream is stream and session.id in self._sessions:
                session.stream = None
                self._lose_later(session)

    def register(self, session: Session, *, wanted: bool) -> None:
        with self._lock:
            if wanted and not session.grant.may_receive:
                raise PhoneError(20106, "The token does not allow incoming calls", 403)
            if wanted and session.grant.expires_at <= time.time():
                raise PhoneError(20104, "Access Token expired or expiration date invalid", 401)
            session.is_registered = wanted
            what = "registered" if wanted else "unregistered"
            self._world.journal.note(f"softphone.{what}", identity=session.grant.identity)

    def renew(self, session: Session, grant: Grant) -> None:
        """A new token; it must be for the same identity."""
        with self._lock:
            if grant.identity != session.grant.identity:
                raise PhoneError(20106, "The new token is for another identity", 403)
            session.grant = grant

    def close(self, session: Session) -> None:
        """The page is gone: its calls end, and what rings there rings no more."""
        with self._lock:
            if self._sessions.pop(session.id, None) is None:
                return
            if session.losing is not None:
                session.losing.cancel()
            calls = [self._world.books.calls[sid] for sid in session.talking]
            session.ringing.clear()
            session.talking.clear()
            for call in calls:
                self._switchboard.hang_up_far_end(call)
            if session.stream is not None:
                session.stream.is_open = False
            self._world.journal.note("softphone.closed", identity=session.grant.identity)

    def connect(self, session: Session, params: dict[str, str]) -> Call:
        """Call the application, as the identity of the token and nothing else."""
        application = self._world.application
        if session.grant.application_sid is None:
            raise PhoneError(20106, "The token does not allow outgoing calls", 403)
        if session.grant.expires_at <= time.time():
            raise PhoneError(20104, "Access Token expired or expiration date invalid", 401)
        if application.voice_url is None:
            raise PhoneError(31002, "The application has no voice URL", 409)
        with self._lock:
            if session.talking:
                raise PhoneError(31000, "A call is already active on this softphone", 409)
            order = CallOrder(
                to=params.get("To", ""),
                caller=f"client:{session.grant.identity}",
                url=application.voice_url,
                method=application.voice_method,
                fallback_url=application.voice_fallback_url,
                fallback_method=application.voice_fallback_method,
                status_callback=application.status_callback,
                status_callback_method=application.status_callback_method,
                from_softphone=True,
                extra=(
                    ("ApplicationSid", application.sid),
                    *[pair for pair in params.items() if pair[0] not in RESERVED][:MOST_PARAMS],
                ),
            )
            call = self._switchboard.place_from_softphone(order)
            session.talking.add(call.sid)
            return call

    def act(self, session: Session, call_sid: str, action: str, digits: str = "") -> bool:
        """Accept, reject or ignore what rings here; hang up or press keys in what it talks in."""
        with self._lock:
            call = self._world.books.calls.get(call_sid)
            is_here = call_sid in session.ringing | session.talking
            if call is None or not is_here:
                return False
            match action:
                case "accept" if call_sid in session.ringing:
                    return self._accept(session, call)
                case "reject" if call_sid in session.ringing:
                    session.ringing.discard(call_sid)
                    return self._switchboard.reject_as_busy(call)
                case "ignore":
                    session.ringing.discard(call_sid)
                    return True
                case "hangup" if call_sid in session.talking:
                    session.talking.discard(call_sid)
                    return self._switchboard.hang_up_far_end(call)
                case "digits":
                    return self._switchboard.press_keys(call, digits)
            return False

    def expire(self) -> None:
        """Tell those whose token has run out; a call in progress goes on."""
        with self._lock:
            for session in list(self._sessions.values()):
                if session.is_registered and session.grant.expires_at <= time.time():
                    session.is_registered = False
                    session.tell(
                        "expired", code=20104, message="Access Token expired or expiration date invalid"
                    )

    def cut(self, identity: str) -> int:
        """Break the event streams of an identity, as a bad network would; how many."""
        with self._lock:
            found = [each for each in self._sessions.values() if each.grant.identity == identity]
            for session in found:
                if session.stream is not None:
                    session.stream.is_open = False
            return len(found)

    def warn(self, identity: str, name: str) -> int:
        """Tell those who talk of trouble with the sound; how many."""
        with self._lock:
            found = [
                each for each in self._sessions.values() if each.grant.identity == identity and each.talking
            ]
            for session in found:
                for sid in session.talking:
                    session.tell("warning", call_sid=sid, name=name)
            return len(found)

    def as_json(self) -> list[dict[str, Any]]:
        with self._lock:
            return [
                {
                    "identity": session.grant.identity,
                    "registered": session.is_registered,
                    "connected": session.stream is not None,
                    "ringing": sorted(session.ringing),
                    "talking": sorted(session.talking),
                    "token_left_s": round(session.grant.expires_at - time.time(), 1),
                }
                for session in self._sessions.values()
            ]

    def _accept(self, session: Session, call: Call) -> bool:
        session.ringing.discard(call.sid)
        if call.status is not CallStatus.RINGING:
            return False
        session.talking.add(call.sid)
        session.tell("accepted", call_sid=call.sid)
        for other in self._sessions.values():
            if call.sid in other.ringing:
                other.ringing.discard(call.sid)
                other.tell("canceled", call_sid=call.sid)
        return self._switchboard.answer(call)

    def _registered(self, identity: str | None) -> list[Session]:
        if identity is None:
            return []
        return [
            session
            for session in self._sessions.values()
            if session.is_registered and session.grant.identity == identity
        ]

    def _lose_later(self, session: Session) -> None:
        session.losing = self._world.timers.after(RECONNECT_WITHIN_S, lambda: self.close(session), real=True)

    def _facts(self, call: Call) -> dict[str, Any]:
        return {
            "call_sid": call.sid,
            "from": call.order.caller,
            "to": call.order.to,
            "account_sid": self._world.settings.account_sid,
            "params": dict(call.order.extra),
        }


RESERVED = frozenset(
    {"CallSid", "AccountSid", "ApiVersion", "Direction", "CallStatus", "From", "To", "Caller", "Called"}
    | {"ApplicationSid"}
)
"""A page may not overwrite what the carrier vouches for."""

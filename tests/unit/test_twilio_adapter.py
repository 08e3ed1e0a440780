# ruff: noqa: F811 - fixtures from elsewhere bear the names of the arguments that ask for them
"""The Twilio adapter: one request per wish whatever the carrier does, and nothing unsure is called sure."""

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from callcenter.domain.enums import AttemptState, CallResult, SupervisorMode
from callcenter.domain.ports import (
    AmdPolicy,
    CallbackNews,
    CallbackRequest,
    CallWish,
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
    Unknown,
)
from callcenter.telephony.refusals import refusal_of
from callcenter.telephony.twilio import TwilioAccount, TwilioCarrier
from tests.simulator.conftest import product, running_simulator, simulator  # noqa: F401
from tests.simulator.sim import ACCOUNT_SID, AUTH_TOKEN, CALLER, Product, Simulator, wait_for

PUBLIC = "https://calls.bank.example"
RING, LONGEST = timedelta(seconds=25), timedelta(hours=2)


def carrier_at(base_url: str, public: str = PUBLIC, timeout_seconds: float = 5.0) -> TwilioCarrier:
    """The adapter, sent to another address than Twilio's."""
    account = TwilioAccount(
        account_sid=ACCOUNT_SID,
        auth_token=AUTH_TOKEN,
        caller_id=CALLER,
        public_base_url=public,
        base_url=base_url,
        timeout_seconds=timeout_seconds,
    )
    return TwilioCarrier(account)


def places(carrier: TwilioCarrier, to: str, attempt: UUID | None = None) -> Placement:
    """Ask once for a call."""
    return carrier.place(CallWish(attempt or uuid4(), to, RING, LONGEST))


def only(carrier: TwilioCarrier, request: CallbackRequest) -> CarrierEvent:
    """The one step of a call this callback tells of."""
    [event] = carrier.parse(request)
    assert isinstance(event, CarrierEvent)
    return event


def _posts(simulator: Simulator) -> int:
    lines = simulator.control("GET", "log?event=rest.answered").json()["lines"]
    return sum(line["method"] == "POST" for line in lines)


def test_a_call_is_asked_for_once_and_its_callbacks_name_the_attempt(
    simulator: Simulator,
    product: Product,
) -> None:
    attempt = uuid4()
    carrier = carrier_at(simulator.base_url, product.base_url)
    placed = places(carrier, "+12025554902", attempt)
    assert isinstance(placed, Placed) and placed.ref.startswith("CA")
    path = f"/carrier/twilio/attempt/{attempt}/status"
    wait_for(lambda: [each["CallStatus"] for each in product.at(path)] == ["initiated", "ringing", "busy"])
    for received in product.received:
        request = CallbackRequest(path, list(received.params.items()), received.headers)
        assert carrier.verify(request)
        event = only(carrier, request)
        assert event.ref == placed.ref
    assert event.state is AttemptState.ENDED and event.result is CallResult.BUSY


@pytest.mark.parametrize(
    ("fault", "outcome", "calls"),
    [
        ({"rest_429": {"next": 1}}, NotProcessed(timedelta(seconds=2)), 0),
        ({"rest_500_before": {"next": 1}}, Unknown("http_500"), 0),
        ({"rest_500_after": {"next": 1}}, Unknown("http_500"), 1),
        ({"drop_after": {"next": 1}}, Unknown("connection_cut"), 1),
        ({"hang_after": {"seconds": 0.6, "next": 1}}, Unknown("ReadTimeout"), 1),
    ],
    ids=["429", "500, not done", "500, done", "done, cut off", "done, no answer in time"],
)
def test_a_fault_is_never_answered_by_a_second_request(
    simulator: Simulator,
    product: Product,
    fault: dict[str, object],
    outcome: Placement,
    calls: int,
) -> None:
    to = f"+1202555{4100 + sum(next(iter(fault)).encode()) % 800}"  # a number for each fault
    simulator.control("PUT", "faults", fault)
    carrier = carrier_at(simulator.base_url, product.base_url, timeout_seconds=0.3)
    since, before = datetime.now(UTC), _posts(simulator)
    assert places(carrier, to) == outcome
    assert _posts(simulator) == before + 1
    found = carrier.find(to, since)
    assert found is not None and len(found) == calls
    assert all(one.to == to and one.created_at and one.created_at.tzinfo for one in found)


class OddCarrier:
    """Answers every request with the same bytes, or not at all, and counts what it got."""

    def __init__(self, answer: bytes, stays_open: bool = False) -> None:
        self._answer, self._stays_open = answer, stays_open
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.requests: list[bytes] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                got = connection.recv(65_536)
                while b"\r\n\r\n" not in got:
                    got += connection.recv(65_536)
                head, _, body = got.partition(b"\r\n\r\n")
                length = next(
                    (int(line[15:]) for line in head.split(b"\r\n") if line[:15] == b"Content-Length:"), 0
                )
                while len(body) < length:
                    body += connection.recv(65_536)
                self.requests.append(head.split(b"\r\n")[0])
                connection.sendall(self._answer)
                if self._stays_open:
                    self._over.wait(5)

    def stop(self) -> None:
        """Answer nobody any more."""
        self._over.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def odd() -> Iterator[Callable[..., OddCarrier]]:
    """Call it with the bytes to answer with."""
    made: list[OddCarrier] = []

    def make(answer: bytes, stays_open: bool = False) -> OddCarrier:
        made.append(OddCarrier(answer, stays_open))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def _http(status: str, body: bytes, kind: str = "application/json", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


def _error(code: int) -> bytes:
    return b'{"code": %d, "message": "no", "more_info": "", "status": 400}' % code


ODD = [
    (_http("201 Created", b'{"sid": "CA1', length=500), Unknown("ChunkedEncodingError")),
    (_http("201 Created", b"<html>made</html>", "text/html"), Unknown("JSONDecodeError")),
    (_http("201 Created", b""), Unknown("answer_without_sid")),
    (_http("201 Created", b"{}"), Unknown("answer_without_sid")),
    (_http("500 Oops", b"{}"), Unknown("http_500")),
    (_http("503 Away", b"busy", "text/plain"), Unknown("http_503")),
    (
        _http("503 Away", b"{}").replace(b"Connection", b"Retry-After: 1\r\nConnection"),
        Unknown("http_503"),
    ),
    (_http("429 Slow down", _error(20429)), NotProcessed(timedelta(seconds=2))),
    (_http("302 Elsewhere", b""), Unknown("http_302")),
    (_http("408 Too late", b"{}"), Unknown("http_408")),
    (_http("201 Created", b"[]"), Unknown("AttributeError")),
    (_http("201 Created", b"null"), Unknown("AttributeError")),
    (_http("400 Bad", b"[]"), Rejected(RefusalClass.CONFIG, "400")),
    (_http("403 No", b"<html>a proxy</html>", "text/html"), Rejected(RefusalClass.CONFIG, "403")),
    (_http("400 Bad", b'{"code": "21217"}'), Rejected(RefusalClass.INVALID_DESTINATION, "21217")),
    (_http("400 Bad", _error(21211)), Rejected(RefusalClass.INVALID_DESTINATION, "21211")),
    (_http("400 Bad", _error(21215)), Rejected(RefusalClass.BLOCKED_DESTINATION, "21215")),
    (_http("400 Bad", _error(21210)), Rejected(RefusalClass.CALLER_ID, "21210")),
    (_http("401 Who", _error(20003)), Rejected(RefusalClass.CONFIG, "20003")),
    (_http("400 Bad", _error(99999)), Rejected(RefusalClass.CONFIG, "99999")),
    (b"", Unknown("connection_cut")),
    (b"not http at all\r\n\r\n", Unknown("connection_cut")),
]


@pytest.mark.parametrize(("answer", "outcome"), ODD, ids=[str(number) for number in range(len(ODD))])
def test_an_odd_answer_is_one_request_and_never_called_sure(
    odd: Callable[..., OddCarrier], answer: bytes, outcome: Placement
) -> None:
    server = odd(answer)
    assert places(carrier_at(server.base_url), "+12025554300") == outcome
    assert server.requests == [f"POST /2010-04-01/Accounts/{ACCOUNT_SID}/Calls.json HTTP/1.1".encode()]


def test_an_answer_that_does_not_come_is_one_request_and_unknown(odd: Callable[..., OddCarrier]) -> None:
    server = odd(b"", stays_open=True)
    assert places(carrier_at(server.base_url, timeout_seconds=0.1), "+12025554301") == Unknown("ReadTimeout")
    assert len(server.requests) == 1


def test_a_carrier_that_cannot_be_reached_did_nothing() -> None:
    carrier = carrier_at("http://127.0.0.1:1")
    assert places(carrier, "+12025554302") == NotProcessed(timedelta(seconds=2))
    assert (carrier.lookup("CA1"), carrier.find("+12025554302", datetime.now(UTC))) == (None, None)
    assert carrier.hang_up("CA1") is False


@pytest.mark.parametrize("answer", [answer for answer, _ in ODD[:9]] + [b""])
def test_a_question_oddly_answered_is_not_answered(odd: Callable[..., OddCarrier], answer: bytes) -> None:
    carrier = carrier_at(odd(answer).base_url)
    assert carrier.find("+12025554303", datetime.now(UTC)) in (None, [])
    seen = carrier.lookup("CA1")
    assert seen is None or seen.state is AttemptState.PLACED


def test_a_call_is_looked_up_and_ended_and_one_that_has_ended_stays_so(
    simulator: Simulator,
    product: Product,
) -> None:
    carrier = carrier_at(simulator.base_url, product.base_url)
    simulator.set_number("+12025554400", outcome="no-answer", ring_s=1000)
    placed = places(carrier, "+12025554400")
    assert isinstance(placed, Placed)
    seen = carrier.lookup(placed.ref)
    assert seen is not None and (seen.ref, seen.to, seen.result) == (placed.ref, "+12025554400", None)
    assert carrier.hang_up(placed.ref)
    assert carrier.hang_up(placed.ref), "ended already is success"
    seen = carrier.lookup(placed.ref)
    assert seen is not None and seen.state is AttemptState.ENDED
    gone = carrier.lookup("CA" + "0" * 32)
    assert gone is not None and gone.result is CallResult.FAILED
    assert carrier.hang_up("CA" + "0" * 32)
    assert carrier.find("+12025554400", datetime.now(UTC) + timedelta(minutes=1)) == []


def test_a_conversation_in_a_room_from_the_first_leg_to_its_end(
    simulator: Simulator, product: Product
) -> None:
    """Agent, customer and supervisor by the port alone; every callback is signed and understood."""
    carrier = carrier_at(simulator.base_url, product.base_url)
    agent, attempt, watch = uuid4(), uuid4(), uuid4()
    room, heard = f"agent-{agent.hex}", list[RoomEvent]()
    for kind, subject, role in (
        ("agent", agent, RoomRole.AGENT),
        ("attempt", attempt, RoomRole.CUSTOMER),
        ("watch", watch, RoomRole.SUPERVISOR),
    ):
        path = f"/carrier/twilio/{kind}/{subject}/answer"
        product.answers[path] = carrier.answer(JoinRoom(room, agent, role))
    simulator.set_number("+12025554500", outcome="human", ring_s=1, talk_s=1000)

    def joined(placed: Placement) -> str:
        assert isinstance(placed, Placed)
        wait_for(lambda: simulator.call(placed.ref)["joined_room_at"])
        return placed.ref

    agent_leg = joined(carrier.place_agent(agent, f"client:agent_{agent.hex}"))
    assert carrier.mute(room, agent_leg, False) is RoomAnswer.DONE, "also while alone in it"
    customer = joined(places(carrier, "+12025554500", attempt))
    boss = joined(carrier.place_supervisor(watch, f"client:agent_{watch.hex}"))
    assert carrier.hold(room, customer, "en") is RoomAnswer.DONE
    assert carrier.unhold(room, customer) is RoomAnswer.DONE
    for mode in (SupervisorMode.WHISPER, SupervisorMode.BARGE, SupervisorMode.MONITOR):
        assert carrier.set_mode(room, boss, mode, agent_leg) is RoomAnswer.DONE
    assert carrier.remove(room, boss) is RoomAnswer.DONE
    assert carrier.remove(room, boss) is RoomAnswer.GONE
    assert carrier.end_room(room) is RoomAnswer.DONE
    assert carrier.end_room(room) is RoomAnswer.GONE
    path = f"/carrier/twilio/room/{agent}/events"
    wait_for(lambda: any(each["StatusCallbackEvent"] == "conference-end" for each in product.at(path)))
    for received in [each for each in product.received if each.path == path]:
        request = CallbackRequest(path, list(received.params.items()), received.headers)
        assert carrier.verify(request)
        heard += [event for event in carrier.parse(request) if isinstance(event, RoomEvent)]
    assert [event.sequence for event in heard] == list(range(len(heard)))
    assert {event.room for event in heard} == {room} and len({event.key for event in heard}) == len(heard)
    modes = [(event.muted, event.coaching) for event in heard if event.ref == boss]
    assert (False, True) in modes and modes[0] == (True, False)
    customer_held = [event.held for event in heard if event.ref == customer]
    assert True in customer_held and customer_held[-1] is False
    changes = [event.change for event in heard]
    assert changes[0] is RoomChange.JOINED and changes[-1] is RoomChange.ENDED


def _news(carrier: TwilioCarrier, product: Product, path: str) -> list[CallbackNews]:
    """What the callbacks that came to this path tell, each one signed."""
    told: list[CallbackNews] = []
    for received in [each for each in product.received if each.path == path]:
        request = CallbackRequest(path, list(received.params.items()), received.headers)
        assert carrier.verify(request)
        told += carrier.parse(request)
    return told


def test_a_call_that_is_listened_to_and_recorded_can_be_told_apart_and_its_sound_fetched(
    simulator: Simulator, product: Product
) -> None:
    carrier = carrier_at(simulator.base_url, product.base_url)
    agent, attempt, since = uuid4(), uuid4(), datetime.now(UTC)
    room, answers = f"agent-{agent.hex}", "/carrier/twilio/{}/{}/answer"
    for kind, subject, role in (("agent", agent, RoomRole.AGENT), ("attempt", attempt, RoomRole.CUSTOMER)):
        product.answers[answers.format(kind, subject)] = carrier.answer(JoinRoom(room, agent, role))
    simulator.set_number("+12025554600", outcome="machine", ring_s=1, talk_s=1000)
    agent_leg = carrier.place_agent(agent, f"client:agent_{agent.hex}")
    wish = CallWish(attempt, "+12025554600", RING, LONGEST, AmdPolicy.LISTEN, RecordPolicy.ON)
    customer = carrier.place(wish)
    assert isinstance(agent_leg, Placed) and isinstance(customer, Placed)
    heard = wait_for(lambda: _news(carrier, product, f"/carrier/twilio/attempt/{attempt}/amd"))
    assert isinstance(heard[0], MachineHeard) and heard[0].ref == customer.ref
    assert carrier.identify(customer.ref) == attempt and carrier.identify(agent_leg.ref) is None
    listed = carrier.calls_between(since - timedelta(seconds=1), datetime.now(UTC) + timedelta(seconds=1))
    assert listed is not None
    assert {call.ref: call.is_ours for call in listed}.items() >= {
        agent_leg.ref: False,
        customer.ref: True,
    }.items()
    wait_for(lambda: carrier.pause_recording(customer.ref, True) is RoomAnswer.DONE)
    assert carrier.pause_recording(customer.ref, False) is RoomAnswer.DONE
    assert carrier.pause_recording(agent_leg.ref, True) is RoomAnswer.GONE, "only the customer's call"
    assert carrier.move(customer.ref, attempt) is RoomAnswer.DONE
    assert carrier.hang_up(customer.ref)
    told = f"/carrier/twilio/attempt/{attempt}/recording"
    wait_for(lambda: [each for each in _news(carrier, product, told) if _is_ready(each)])
    recordings = [each for each in _news(carrier, product, told) if isinstance(each, RecordingEvent)]
    assert [each.state for each in recordings] == [RecordingState.RUNNING, RecordingState.READY]
    assert {(each.call_ref, each.room_ref) for each in recordings} == {(customer.ref, None)}
    assert len({each.ref for each in recordings}) == 1, "a call that is moved is recorded once"
    assert simulator.call(agent_leg.ref)["status"] == "in-progress", "ready while the room goes on"
    assert carrier.pause_recording(customer.ref, True) is RoomAnswer.GONE
    assert carrier.end_room(room) is RoomAnswer.DONE
    sound = carrier.recording(recordings[0].ref)
    assert sound is not None and sound.startswith(b"RIFF")
    assert carrier.recording("RE" + "0" * 32) is None


def _is_ready(news: CallbackNews) -> bool:
    return isinstance(news, RecordingEvent) and news.state is RecordingState.READY


def test_requests_go_to_no_other_host_than_twilios_or_the_one_set() -> None:
    carrier = carrier_at("http://127.0.0.1:1")
    with pytest.raises(Exception, match=r"will not send a request to evil\.example"):
        carrier._client.http_client.request("GET", "https://evil.example/")


def _request(target: str = "/carrier/x", form: tuple[tuple[str, str], ...] = (), **headers: str):
    return CallbackRequest(target, list(form), headers)


def test_a_signature_covers_repeated_and_foreign_fields() -> None:
    carrier = carrier_at("http://127.0.0.1:1")
    form = (("A", "1"), ("A", "2"), ("名", "陈"), ("Empty", ""))
    right = RequestValidator(AUTH_TOKEN).compute_signature(PUBLIC + "/carrier/x", MultiDict(form))
    assert carrier.verify(_request(form=form, **{"x-twilio-signature": right}))
    assert not carrier.verify(_request(form=form[:-2], **{"X-Twilio-Signature": right}))
    assert not carrier.verify(_request(form=form))


@pytest.mark.parametrize(
    ("status", "state", "result"),
    [
        ("queued", AttemptState.PLACED, None),
        ("initiated", AttemptState.INITIATED, None),
        ("ringing", AttemptState.RINGING, None),
        ("in-progress", AttemptState.ANSWERED, None),
        ("completed", AttemptState.ENDED, CallResult.COMPLETED),
        ("busy", AttemptState.ENDED, CallResult.BUSY),
        ("no-answer", AttemptState.ENDED, CallResult.NO_ANSWER),
        ("failed", AttemptState.ENDED, CallResult.FAILED),
        ("canceled", AttemptState.ENDED, CallResult.CANCELED),
    ],
)
def test_each_status_has_one_meaning(status: str, state: AttemptState, result: CallResult | None) -> None:
    carrier = carrier_at("http://127.0.0.1:1")
    form = (("CallSid", "CA1"), ("CallStatus", status), ("SequenceNumber", "3"), ("To", "+12025550000"))
    event = only(carrier, _request(form=form))
    assert (event.ref, event.state, event.result) == ("CA1", state, result)
    assert only(carrier, _request(form=(*form, ("New", "x")))).key == event.key
    assert only(carrier, _request(form=(("CallSid", "CA2"), *form[1:]))).key != event.key
    assert "+12025550000" not in str(event.raw)


def test_a_call_that_is_not_to_go_on_is_ended() -> None:
    assert carrier_at("http://127.0.0.1:1").answer(HangUp()).endswith("<Response><Hangup /></Response>")


def test_a_refusal_nobody_knows_means_stop_and_look() -> None:
    assert {refusal_of(None), refusal_of(0), refusal_of(12345)} == {RefusalClass.CONFIG}

"""What is wrong is refused by itself, with what to do, and kept in quarantine; the rest goes through."""

import gzip
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlmodel import Session, select

from callcenter.compliance.policies import Gate
from callcenter.compliance.queries import ProposedCall
from callcenter.compliance.service import screen
from callcenter.domain.enums import BarReason, Purpose, ScreeningPoint
from callcenter.embedded import Servers
from callcenter.models import Customer, Visit
from tests.web.collector import Collector, basic, collector_on, track, zipped

TAKEN = {"success": True, "accepted": 1, "duplicate": 0, "rejected": []}


@pytest.fixture(scope="module")
def collector(
    fresh_database: Callable[[str], str], server_pair: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collector]:
    """One for the module; tests keep apart by the ids of their events and users."""
    home = tmp_path_factory.mktemp("collector")
    with collector_on(home, fresh_database("collector_bad"), server_pair.redis_url) as made:
        yield made


def _nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"x": value}
    return value


def _without(name: str, **more: Any) -> dict[str, Any]:
    event = track(**more)
    del event[name]
    return event


REFUSED: list[Any] = [
    pytest.param("an event", "not_an_object", id="text"),
    pytest.param(None, "not_an_object", id="null"),
    pytest.param([track()], "not_an_object", id="a list"),
    pytest.param(_without("type"), "unknown_type", id="no type"),
    pytest.param(track(type="purchase"), "unknown_type", id="another type"),
    pytest.param(track(type={"a": 1}), "unknown_type", id="type is an object"),
    pytest.param(_without("userId"), "no_user_anon_id", id="no ids"),
    pytest.param(track(user="", anonymousId=None), "no_user_anon_id", id="empty ids"),
    pytest.param(track(user=["u"]), "bad_id", id="userId is a list"),
    pytest.param(track(user=True), "bad_id", id="userId is true"),
    pytest.param(track(user=1.5), "bad_id", id="userId is a fraction"),
    pytest.param(track(user="u" * 257), "bad_id", id="userId of 257 letters"),
    pytest.param(track(anonymousId={"a": 1}), "bad_id", id="anonymousId is an object"),
    pytest.param(track(previousId=[]), "bad_id", id="previousId is a list"),
    pytest.param(track(messageId="m" * 101), "bad_message_id", id="messageId of 101 letters"),
    pytest.param(track(messageId=7), "bad_message_id", id="messageId is a number"),
    pytest.param(track(event=""), "no_event_name", id="track without event"),
    pytest.param(track(event={"a": 1}), "wrong_type", id="event is an object"),
    pytest.param(track(event=7), "wrong_type", id="event is a number"),
    pytest.param(track(messageId=["m"]), "bad_message_id", id="messageId is a list"),
    pytest.param(track(messageId=True), "bad_message_id", id="messageId is true"),
    pytest.param(track(type=7), "unknown_type", id="type is a number"),
    pytest.param(track(type="page", name=["x"]), "wrong_type", id="name is a list"),
    pytest.param(track(sentAt=[]), "bad_time", id="sentAt is a list"),
    pytest.param(track(originalTimestamp=False), "bad_time", id="originalTimestamp is false"),
    pytest.param(track(properties=5), "wrong_type", id="properties is a number"),
    pytest.param(track(context=[]), "wrong_type", id="context is a list"),
    pytest.param(track(traits=True), "wrong_type", id="traits is true"),
    pytest.param(track(type="page", name=5), "wrong_type", id="name is a number"),
    pytest.param(track(properties="x"), "wrong_type", id="properties is text"),
    pytest.param(track(properties=[1]), "wrong_type", id="properties is a list"),
    pytest.param(track(context="x"), "wrong_type", id="context is text"),
    pytest.param(track(traits=3), "wrong_type", id="traits is a number"),
    pytest.param(track(context={"traits": "x"}), "wrong_type", id="context.traits is text"),
    pytest.param(track(timestamp="yesterday"), "bad_time", id="a time in words"),
    pytest.param(track(timestamp={}), "bad_time", id="time is an object"),
    pytest.param(track(timestamp=True), "bad_time", id="time is true"),
    pytest.param(track(timestamp="2026-13-45T00:00:00Z"), "bad_time", id="month 13"),
    pytest.param(track(timestamp=1e300), "bad_time", id="seconds beyond all calendars"),
    pytest.param(track(originalTimestamp="0001-01-01T00:00:00+14:00"), "bad_time", id="before year 1"),
    pytest.param(
        track(timestamp="9999-12-31T23:59:59Z", sentAt="0001-01-01T00:00:00Z"), "bad_time", id="ages apart"
    ),
    pytest.param(track(sentAt="now"), "bad_time", id="sentAt in words"),
    pytest.param(track(properties={"text": "x" * 32 * 1024}), "event_too_large", id="over 32 KB"),
    pytest.param(track(properties=_nested(32)), "nested_too_deep", id="33 levels"),
    pytest.param(track(properties={"a": "b\x00c"}), "nul_character", id="NUL in a property"),
    pytest.param(track(user="u\x00"), "nul_character", id="NUL in an id"),
    pytest.param(track(properties={"a": {"\x00": 1}}), "nul_character", id="NUL in a name"),
    pytest.param(
        track(properties={"list": [1] * 10_001}), "too_many_properties", id="more than 10,000 properties"
    ),
]


@pytest.mark.parametrize(("bad", "code"), REFUSED)
def test_a_bad_event_is_refused_alone_and_kept_and_its_neighbours_go_through(
    collector: Collector, bad: Any, code: str
) -> None:
    _, before = collector.totals()
    first, last = track(), track()
    answer = collector.batch(first, bad, last)
    assert answer.status_code == 200 and answer.json is not None
    (rejected,) = answer.json["rejected"]
    assert (answer.json["accepted"], rejected["index"], rejected["code"]) == (2, 1, code)
    assert rejected["message"]
    assert len(collector.stored(first["messageId"], last["messageId"])) == 2
    (kept,) = collector.refused(before)
    assert (kept.code, kept.position, kept.message) == (code, 1, rejected["message"])
    assert kept.raw["text"] == repr(bad).replace("\x00", "")[:2000]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_a_number_that_is_not_finite_spoils_only_its_own_event(collector: Collector, number: str) -> None:
    first, bad = track(), track()
    body = orjson.dumps({"batch": [first, {**bad, "properties": {"amount": "HERE"}}]})
    answer = collector.post("/v1/batch", body.replace(b'"HERE"', number.encode()))
    assert answer.json is not None and answer.json["accepted"] == 1
    assert [(one["index"], one["code"]) for one in answer.json["rejected"]] == [(1, "not_finite")]
    assert len(collector.stored(first["messageId"], bad["messageId"])) == 1


@pytest.mark.parametrize("where", ["properties", "userId", "messageId", "event"])
@pytest.mark.parametrize("lone", ['"\\ud800"', '"\\udfff\\ud800"'], ids=["half", "halves"])
def test_what_json_cannot_keep_spoils_only_its_own_event(collector: Collector, lone: str, where: str) -> None:
    _, before = collector.totals()
    first, bad, last = track(), track(), track()
    odd = {**bad, where: {"x": "HERE"} if where == "properties" else "HERE"}
    body = orjson.dumps({"batch": [first, odd, last]}).replace(b'"HERE"', lone.encode())
    answer = collector.post("/v1/batch", body)
    assert answer.status_code == 200 and answer.json is not None
    assert [(one["index"], one["code"]) for one in answer.json["rejected"]] == [(1, "not_json")]
    assert len(collector.stored(first["messageId"], bad["messageId"], last["messageId"])) == 2
    (kept,) = collector.refused(before)
    assert (kept.code, kept.position) == ("not_json", 1)


def test_whole_numbers_of_64_bits_are_kept_exactly(collector: Collector) -> None:
    event = track(properties={"least": -(2**63), "most": 2**64 - 1, "tiny": 5e-324})
    assert collector.batch(event).json == TAKEN
    assert collector.stored(event["messageId"])[0].properties == event["properties"]


@pytest.mark.parametrize("beside", [b"", b'{"amount": NaN},'], ids=["alone", "beside NaN"])
@pytest.mark.parametrize("digits", [20, 30, 300])
def test_a_larger_whole_number_is_rounded_and_is_no_id(
    collector: Collector, digits: int, beside: bytes
) -> None:
    event, odd = track(properties={"x": "HERE"}), track(user="HERE")
    body = (
        orjson.dumps({"batch": [event, odd]}).replace(b"[", b"[" + beside).replace(b'"HERE"', b"9" * digits)
    )
    answer = collector.post("/v1/batch", body)
    assert answer.status_code == 200 and answer.json is not None
    assert [one["code"] for one in answer.json["rejected"]][-1] == "bad_id"
    assert collector.stored(event["messageId"])[0].properties == {"x": 10.0**digits}


@pytest.mark.parametrize("digits", [400, 6_000])
def test_a_number_beyond_all_bounds_spoils_only_its_own_event(collector: Collector, digits: int) -> None:
    first, bad = track(), track(properties={"x": "HERE"})
    body = orjson.dumps({"batch": [first, bad]}).replace(b'"HERE"', b"9" * digits)
    answer = collector.post("/v1/batch", body)
    assert answer.status_code == 200 and answer.json is not None
    assert [(one["index"], one["code"]) for one in answer.json["rejected"]] == [(1, "not_finite")]
    assert len(collector.stored(first["messageId"], bad["messageId"])) == 1


def test_of_a_name_that_comes_twice_the_last_value_counts(collector: Collector) -> None:
    event = track(properties={"a": "HERE"})
    body = orjson.dumps({"batch": [event]}).replace(b'"a":"HERE"', b'"a":1,"b":2,"a":3')
    assert collector.post("/v1/batch", body).status_code == 200
    assert collector.stored(event["messageId"])[0].properties == {"a": 3, "b": 2}
    twice = b'{"batch": [{"type": "purchase"}], ' + orjson.dumps({"batch": [track()]})[1:]
    assert collector.post("/v1/batch", twice).json == TAKEN


@pytest.mark.parametrize(
    ("said", "kept", "is_clamped", "is_historical"),
    [
        ("2126-01-01T00:00:00Z", None, True, False),
        ("9999-12-31T23:59:59Z", None, True, False),
        (4e12, None, True, False),
        ("1900-01-01T00:00:00Z", "1900-01-01T00:00:00+00:00", False, True),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00", False, True),
        (-1, "1969-12-31T23:59:59+00:00", False, True),
        (0, "1970-01-01T00:00:00+00:00", False, True),
    ],
)
def test_a_time_to_come_becomes_now_and_an_ancient_one_is_history(
    collector: Collector, said: Any, kept: str | None, is_clamped: bool, is_historical: bool
) -> None:
    event = track("of-all-times", timestamp=said)
    assert collector.batch(event).json == TAKEN
    (row,) = collector.stored(event["messageId"])
    assert row.event_time.isoformat() == (kept or collector.clock.now.isoformat())
    assert (row.clamped, row.historical) == (is_clamped, is_historical)


def test_what_lies_just_inside_every_limit_is_taken(collector: Collector) -> None:
    events = [
        track(user="u" * 256),
        track(messageId="m" * 100),
        track(properties=_nested(31)),
        track(user=12345),
        track(properties={"text": "x" * (31 * 1024)}),
        track(timestamp=1_800_000_000_000),
        track(timestamp="2026-11-18"),
        track(properties=None, context=None, traits=None, timestamp="", anonymousId=""),
    ]
    answer = collector.batch(*events)
    assert answer.json == {"success": True, "accepted": len(events), "duplicate": 0, "rejected": []}


BODIES: list[Any] = [
    pytest.param(b"", 400, "invalid_json", id="nothing"),
    pytest.param(b"{", 400, "invalid_json", id="half an object"),
    pytest.param(b"\xff\xfe{}", 400, "invalid_json", id="UTF-16"),
    pytest.param(b'{"batch": [{"event": "\xff"}]}', 400, "invalid_json", id="wrong UTF-8"),
    pytest.param(b"[]", 400, "invalid_json", id="a list"),
    pytest.param(b'"text"', 400, "invalid_json", id="text"),
    pytest.param(b"null", 400, "invalid_json", id="null"),
    pytest.param(b"[" * 2_000 + b"]" * 2_000, 400, "invalid_json", id="2,000 brackets"),
    pytest.param(b'{"a":' * 100_000, 400, "invalid_json", id="100,000 open objects"),
    pytest.param(b"1" * 5_000, 400, "invalid_json", id="a number of 5,000 digits"),
    pytest.param(b"writeKey=key&batch=1", 400, "invalid_json", id="a form"),
    pytest.param(b"\x1f\x8bnot really", 400, "invalid_json", id="gzip's first bytes only"),
    pytest.param(zipped({"batch": []})[:-9], 400, "invalid_json", id="gzip cut off"),
    pytest.param(
        zipped({"batch": [1]})[:12] + b"\xff\xff" + zipped({"batch": [1]})[14:],
        400,
        "invalid_json",
        id="gzip with a wrong bit",
    ),
    pytest.param(b" " * (500 * 1024 + 1), 400, "invalid_json", id="over 500 KB"),
    pytest.param(b" " * (4 * 1024 * 1024 + 1), 400, "invalid_json", id="over what the server reads"),
    pytest.param(gzip.compress(b" " * 50_000_000), 400, "invalid_json", id="a zip bomb"),
    pytest.param(b'{"batch": {}}', 400, "no_batch", id="batch is an object"),
    pytest.param(b'{"batch": "x"}', 400, "no_batch", id="batch is text"),
    pytest.param(b'{"batch": 5}', 400, "no_batch", id="batch is a number"),
    pytest.param(b'{"batch": null}', 400, "no_batch", id="batch is null"),
    pytest.param(b'{"events": []}', 400, "no_batch", id="no batch"),
]


@pytest.mark.parametrize(("body", "status", "code"), BODIES)
def test_a_body_that_cannot_be_read_is_refused_whole_in_the_sdks_words(
    collector: Collector, body: bytes, status: int, code: str
) -> None:
    before = collector.totals()
    answer = collector.post("/v1/batch", body)
    assert answer.status_code == status and answer.json is not None
    assert answer.json["code"] == code and set(answer.json) == {"code", "message"}
    assert collector.totals() == before


def test_a_body_that_says_gzip_and_is_not_is_refused(collector: Collector) -> None:
    answer = collector.post("/v1/batch", {"batch": [track()]}, basic() | {"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json) == (
        400,
        {
            "code": "invalid_json",
            "message": "The body is not gzip. Leave out Content-Encoding or compress it.",
        },
    )


def test_2501_events_are_too_many_and_2500_are_not(collector: Collector) -> None:
    before = collector.totals()
    bare = {"type": "track", "event": "e", "userId": "many"}
    answer = collector.post("/v1/batch", zipped({"batch": [bare] * 2_501}))
    assert (answer.status_code, (answer.json or {})["code"]) == (400, "batch_too_long")
    assert collector.totals() == before
    full = collector.post("/v1/batch", zipped({"batch": [bare] * 2_500}))
    assert full.json == {"success": True, "accepted": 1, "duplicate": 2_499, "rejected": []}


@pytest.mark.parametrize(
    "headers",
    [basic("nobody's"), basic("key "), basic(""), {}, {"Authorization": "Basic a2V5\x80"}],
    ids=["unknown", "with a space", "empty", "none", "not ASCII"],
)
def test_an_unknown_write_key_is_refused(collector: Collector, headers: dict[str, str]) -> None:
    before = collector.totals()
    answer = collector.post("/v1/batch", {"batch": [track()]}, headers)
    assert (answer.status_code, (answer.json or {})["code"]) == (401, "unknown_write_key")
    assert collector.totals() == before


@pytest.mark.parametrize("key", [5, ["key"], {"a": 1}, "\ud800", "\x00"])
def test_a_write_key_that_is_no_text_is_refused(collector: Collector, key: Any) -> None:
    body = b'{"batch": [], "writeKey": "\\ud800"}' if key == "\ud800" else {"batch": [], "writeKey": key}
    assert collector.post("/v1/batch", body, {}).status_code == 401


def test_a_source_switched_off_is_told_so(collector: Collector) -> None:
    collector.switch(on=False)
    try:
        answer = collector.batch(track())
    finally:
        collector.switch(on=True)
    assert (answer.status_code, (answer.json or {})["code"]) == (404, "source_disabled")


def test_strict_mode_answers_400_for_a_batch_with_a_bad_event(collector: Collector) -> None:
    good = track()
    answer = collector.post("/v1/batch", {"batch": [good, track(event="")]}, basic() | {"X-Strict-Mode": "1"})
    assert answer.status_code == 400 and answer.json is not None
    assert answer.json["code"] == "events_rejected"
    assert [one["index"] for one in answer.json["rejected"]] == [1]
    clean = collector.post("/v1/batch", {"batch": [track()]}, basic() | {"X-Strict-Mode": "1"})
    assert clean.status_code == 200


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/", "/v1/x"])
def test_an_unknown_route_is_refused_in_the_same_shape(collector: Collector, path: str) -> None:
    answer = collector.post(path, track())
    assert answer.status_code == 404 and set(answer.json or {}) == {"code", "message"}
    asked = collector.client.get("/v1/batch")
    assert asked.status_code == 405 and set(asked.json or {}) == {"code", "message"}


def test_a_long_application_id_does_not_block_its_batch(collector: Collector) -> None:
    """A poison event never blocks the batch: an index row of PostgreSQL holds 2,704 bytes."""
    noise = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(4_000))
    poison = track("poison", event="register", properties={"application_id": noise})
    page = {
        **poison,
        "type": "page",
        "name": "Loan",
        "properties": {**poison["properties"], "step": "register"},
    }
    good = track()
    answer = collector.batch(page, good)
    assert answer.status_code == 200
    assert len(collector.stored(good["messageId"])) == 1


def _verdict(session: Session, customer: Customer, collector: Collector) -> tuple[BarReason, ...]:
    now = collector.clock.now
    gate = Gate(("cn-bank",), b"a key of the tests alone, 32 bytes")
    call = ProposedCall(customer, Purpose.SERVICE, "loan")
    (verdict,) = screen(session, gate, [call], ScreeningPoint.OPENING, now)
    return verdict.reasons


@pytest.mark.parametrize(
    ("trait", "value", "code", "bar"),
    [
        ("phone", "13800138000", "invalid_phone", BarReason.INVALID_NUMBER),
        ("phone", "+86 12", "invalid_phone", BarReason.INVALID_NUMBER),
        ("phone", 8613800138000, "invalid_phone", BarReason.INVALID_NUMBER),
        ("phone", "+8613800138000; DROP TABLE customer", "invalid_phone", BarReason.INVALID_NUMBER),
        ("time_zone", "Mars/Olympus", "unknown_time_zone", BarReason.UNKNOWN_TIME_ZONE),
        ("time_zone", "UTC+8", "unknown_time_zone", BarReason.UNKNOWN_TIME_ZONE),
        ("timezone", ["Asia/Shanghai"], "unknown_time_zone", BarReason.UNKNOWN_TIME_ZONE),
    ],
)
def test_a_wrong_number_or_zone_is_unset_and_told_and_the_gate_bars_the_call(
    collector: Collector, trait: str, value: Any, code: str, bar: BarReason
) -> None:
    user = f"wrong-{trait}-{value}"[:60]
    # A number that belongs to no country, so that its zone does not follow from it.
    right = {"name": "陈伟", "phone": "+80012345678", "time_zone": "Asia/Shanghai", "city": "Wuxi"}
    collector.post("/v1/i", {"userId": user, "messageId": user + "1", "traits": right})
    with collector.reading() as session:
        person = session.exec(select(Customer).where(Customer.external_id == user)).one()
        assert _verdict(session, person, collector) == ()
    _, before = collector.totals()
    wrong = {**right, trait: value, "city": "Suzhou"}
    if trait == "timezone":
        del wrong["time_zone"]
    answer = collector.post("/v1/i", {"userId": user, "messageId": user + "2", "traits": wrong})
    assert answer.json == {"success": True, "accepted": 1, "duplicate": 0, "rejected": []}
    (row,) = collector.stored(user + "2")
    (kept,) = collector.refused(before)
    assert kept.code == code and user + "2" in kept.raw["text"]
    with collector.reading() as session:
        person = session.get_one(Customer, row.customer_id)
        assert (person.name, person.city) == ("陈伟", "Suzhou")
        assert (person.number is None, person.time_zone is None) == (trait == "phone", trait != "phone")
        assert bar in _verdict(session, person, collector)


def test_traits_of_odd_types_are_left_out_or_kept_as_they_are(collector: Collector) -> None:
    odd = {
        "name": ["x"],
        "language": 5,
        "tags": "vip",
        "city": {"a": 1},
        "gender": None,
        "limit": [1, {"a": 2}],
    }
    answer = collector.post("/v1/i", {"userId": "odd", "traits": odd})
    assert answer.status_code == 200
    with collector.reading() as session:
        person = session.exec(select(Customer).where(Customer.external_id == "odd")).one()
    assert (person.name, person.language, person.tags, person.city) == (None, "en", [], None)
    assert person.traits["limit"] == [1, {"a": 2}]


def test_facts_of_odd_types_do_not_stop_the_clock_of_a_visit(collector: Collector) -> None:
    for name, limit in (("text", "lots"), ("list", [1]), ("huge", 10**18), ("true", True)):
        page = track(f"odd-{name}", type="page", properties={"step": "withdraw", "credit_limit": limit})
        assert collector.batch(page).status_code == 200
    with collector.reading() as session:
        visits = session.exec(select(Visit).where(Visit.step == "withdraw")).all()
    assert len(visits) == 4 and {visit.wake_at for visit in visits} == {
        collector.clock.now + timedelta(seconds=31)
    }

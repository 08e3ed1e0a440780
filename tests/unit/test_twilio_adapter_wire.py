"""What each failure on the way to Twilio proves, for placing a call and for asking about one; lists read whole."""

import json
import ssl
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import requests
import urllib3
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.response import Response

from callcenter.domain.enums import AttemptState, CallResult
from callcenter.domain.ports import CallWish, NotProcessed, Placement, RefusalClass, Rejected, Unknown
from callcenter.telephony import twilio_http
from callcenter.telephony.refusals import refusal_of
from callcenter.telephony.twilio_http import Refused, ask
from tests.contract.fake_twilio import (
    CALL,
    CALLER,
    RECORDING,
    WAV,
    FakeTwilio,
    Reply,
    call_json,
    carrier_on,
    events,
    refusal,
)

WISH = CallWish(UUID(int=1), "+12025550123", timedelta(seconds=25), timedelta(hours=2))
SOON = NotProcessed(timedelta(seconds=2))
POOL = urllib3.HTTPSConnectionPool("api.twilio.com")


def _unreachable(reason: Exception, kind: type[requests.ConnectionError] = requests.ConnectionError) -> Reply:
    return Reply(error=kind(urllib3.exceptions.MaxRetryError(POOL, "/", reason)))


def _proxied(cause: Exception) -> Reply:
    return _unreachable(urllib3.exceptions.ProxyError("no way", cause), requests.exceptions.ProxyError)


REFUSED = urllib3.exceptions.NewConnectionError(POOL, "refused")
NO_NAME = urllib3.exceptions.NameResolutionError("api.twilio.com", POOL, OSError("no name"))  # type: ignore[arg-type]
TOO_SLOW = urllib3.exceptions.ConnectTimeoutError("too slow")
BAD_CERTIFICATE = urllib3.exceptions.SSLError(ssl.SSLCertVerificationError("not believed"))
RFC9457 = {"type": "x", "title": "no", "status": 200, "code": 21211}
"""The newer form of an error, whose own status need not be the answer's."""


@pytest.mark.parametrize(
    ("reply", "placement"),
    [
        (_unreachable(REFUSED), SOON),
        (_unreachable(NO_NAME), SOON),
        (_unreachable(TOO_SLOW, requests.ConnectTimeout), SOON),
        (_unreachable(BAD_CERTIFICATE, requests.exceptions.SSLError), SOON),
        (_unreachable(urllib3.exceptions.SSLError("cut"), requests.exceptions.SSLError), Unknown("SSLError")),
        (_proxied(REFUSED), SOON),
        (_proxied(OSError("Tunnel connection failed: 503")), SOON),
        (_proxied(OSError("cut")), Unknown("ProxyError")),
        (Reply(error=requests.ConnectionError("cut")), Unknown("connection_cut")),
        (Reply(error=requests.ConnectionError()), Unknown("connection_cut")),
        (Reply(error=requests.ReadTimeout("late")), Unknown("ReadTimeout")),
        (Reply(error=requests.exceptions.ChunkedEncodingError("half")), Unknown("ChunkedEncodingError")),
        (Reply(error=urllib3.exceptions.ProtocolError("odd")), Unknown("ProtocolError")),
        (Reply(error=TimeoutError("late")), Unknown("TimeoutError")),
        (Reply(201, b"<html>"), Unknown("JSONDecodeError")),
        (Reply(201, {"sid": None}), Unknown("answer_without_sid")),
        (Reply(500, RFC9457 | {"status": 400}), Unknown("http_500")),
        (Reply(400, RFC9457), Rejected(RefusalClass.INVALID_DESTINATION, "21211")),
        (refusal(20429), SOON),
        (refusal(10004), Rejected(RefusalClass.CAPACITY, "10004")),
        (refusal(31415), Rejected(RefusalClass.CONFIG, "31415")),
        (refusal(20429, 429, Retry_After="7"), NotProcessed(timedelta(seconds=7))),
        (refusal(20429, 429, Retry_After="0"), NotProcessed(timedelta(seconds=1))),
        (refusal(20429, 429, Retry_After="9" * 30), NotProcessed(timedelta(minutes=1))),
        (refusal(20429, 429, Retry_After="in a while"), SOON),
        (
            refusal(
                20429,
                429,
                Retry_After="Sun, 25 Mar 2018 09:53:29 GMT",
                Date="Sun, 25 Mar 2018 09:53:19 GMT",
            ),
            NotProcessed(timedelta(seconds=10)),
        ),
    ],
)
def test_only_what_provably_was_not_done_may_be_done_again(reply: Reply, placement: Placement) -> None:
    fake = FakeTwilio(reply)
    assert carrier_on(fake).place(WISH) == placement
    assert len(fake.sent) == 1, "and nothing is asked twice"


def _raise(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (TwilioRestException(404, "/x", "no", 20404), Refused(404, 20404)),
        (TwilioRestException(429, "/x"), SOON),
        (TwilioRestException(503, "/x"), Unknown("http_503")),
        (TwilioServiceException("t", "no", 400, 21211), Refused(400, 21211)),
        (TwilioServiceException("t", "no", "400", 21211), Unknown("TwilioServiceException")),  # type: ignore[arg-type]
        (TwilioException("Unable to fetch page", Response(401, "")), Refused(401, 401)),
        (TwilioException("Unable to fetch page", Response(502, "")), Unknown("http_502")),
        (TwilioException("odd"), Unknown("TwilioException")),
        (json.JSONDecodeError("odd", "", 0), Unknown("JSONDecodeError")),
    ],
)
def test_every_kind_of_exception_the_sdk_raises_is_understood(error: Exception, answer: object) -> None:
    assert ask(lambda: _raise(error)) == answer


def test_a_mistake_of_our_own_is_not_called_an_answer() -> None:
    with pytest.raises(ZeroDivisionError):
        ask(lambda: 1 // 0)


@pytest.mark.parametrize(
    ("refusal_class", "codes"),
    [
        (RefusalClass.INVALID_DESTINATION, [21201, 21211, 21214, 21217, 13223, 13224]),
        (RefusalClass.BLOCKED_DESTINATION, [21215, 13227, 21216, 13225, 32205, 21202, 21203]),
        (RefusalClass.CALLER_ID, [21210, 21212, 21213, 13214, 13247, 32017]),
        (RefusalClass.CONFIG, [20003, 10001, 20005, 10002, 21219, 21205, 21218, 21609, 21626, 21262, 21263]),
        (RefusalClass.RATE, [20429]),
        (RefusalClass.CAPACITY, [10004, 16020, 16021]),
        (RefusalClass.STATE, [21220, 20404, 16025, 16026, 16027]),
    ],
)
def test_a_code_has_one_class(refusal_class: RefusalClass, codes: list[int]) -> None:
    assert {refusal_of(code) for code in codes} == {refusal_class}


@pytest.mark.parametrize("reply", [Reply(500, {}), refusal(20003, 401), Reply(200, b"?"), Reply(200, b"[]")])
def test_a_question_that_fails_has_no_answer(reply: Reply) -> None:
    now = datetime.now(UTC)
    assert carrier_on(FakeTwilio(reply)).lookup(CALL) is None
    assert carrier_on(FakeTwilio(reply)).find("+12025550123", now) is None
    assert carrier_on(FakeTwilio(reply)).calls_between(now, now) is None
    assert carrier_on(FakeTwilio(reply)).identify(CALL) is None
    assert carrier_on(FakeTwilio(reply)).recording(RECORDING) is None


# -- lists


def _at(minute: int, second: int = 0) -> str:
    return f"Sun, 25 Mar 2018 09:{minute:02}:{second:02} +0000"


def _page(*calls: dict[str, object], more: bool = False) -> Reply:
    following = "/2010-04-01/Accounts/AC/Calls.json?Page=1" if more else None
    return Reply(200, {"calls": list(calls), "next_page_uri": following})


START = datetime(2018, 3, 25, 9, 10, tzinfo=UTC)
END = START + timedelta(minutes=10)
LONG_AGO = "Fri, 23 Mar 2018 08:00:00 +0000"


def test_calls_of_a_day_are_read_page_by_page_until_all_the_rest_is_older() -> None:
    fake = FakeTwilio(
        _page(
            call_json(sid="CA1", date_created=_at(20)),
            call_json(sid="CA2", date_created=_at(19, 59)),
            more=True,
        ),
        _page(
            call_json(sid="CA3", date_created=LONG_AGO), call_json(sid="CA4", date_created=_at(10)), more=True
        ),
        _page(call_json(sid="CA5", date_created=_at(9, 59)), more=True),
        _page(call_json(sid="CA6", date_created=LONG_AGO), more=True),
    )
    found = carrier_on(fake).calls_between(START, END)
    assert found is not None and [call.ref for call in found] == ["CA2", "CA4"]
    assert len(fake.sent) == 4
    assert [name for name, _ in fake.sent[0].query] == ["PageSize"], "queued calls have no start to filter by"


def test_a_list_of_which_a_page_is_missing_is_no_list() -> None:
    fake = FakeTwilio(_page(call_json(date_created=_at(12)), more=True), Reply(500, {}))
    assert carrier_on(fake).calls_between(START, END) is None


def test_a_start_within_a_second_counts_that_second() -> None:
    fake = FakeTwilio(_page(call_json(date_created=_at(10))))
    assert carrier_on(fake).calls_between(START + timedelta(milliseconds=600), END)


@pytest.mark.parametrize(
    ("more", "is_ours"),
    [
        ({}, True),
        ({"to": "client:agent_7"}, False),
        ({"to": "sip:someone@example.com"}, False),
        ({"from": "+12025550100"}, False),
        ({"direction": "inbound", "from": "+12025550100", "to": CALLER}, False),
        ({"direction": "outbound-dial"}, False),
    ],
)
def test_a_leg_that_is_no_dial_of_a_customer_is_told_apart(more: dict[str, str], is_ours: bool) -> None:
    seen = carrier_on(FakeTwilio(Reply(200, call_json(**more)))).lookup(CALL)
    assert seen is not None and seen.is_ours is is_ours


def test_a_call_is_read_as_twilio_shows_it() -> None:
    shown = call_json(status="completed", duration="49", date_created=_at(5))
    seen = carrier_on(FakeTwilio(Reply(200, shown))).lookup(CALL)
    assert seen is not None
    assert (seen.state, seen.result, seen.talk_seconds) == (AttemptState.ENDED, CallResult.COMPLETED, 49)
    assert seen.created_at == datetime(2018, 3, 25, 9, 5, tzinfo=UTC)


ATTEMPT, OTHER = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("addresses", "attempt"),
    [
        ([f"https://calls.bank.example/carrier/twilio/attempt/{ATTEMPT}/answer#rc=3"], ATTEMPT),
        (
            [f"https://old.example/carrier/twilio/attempt/{ATTEMPT}/{name}" for name in ("answer", "status")],
            ATTEMPT,
        ),
        (
            [f"https://calls.bank.example/carrier/twilio/attempt/{each}/answer" for each in (ATTEMPT, OTHER)],
            None,
        ),
        ([f"https://calls.bank.example/carrier/twilio/agent/{ATTEMPT}/answer"], None),
        ([f"https://calls.bank.example/carrier/twilio/attempt/{ATTEMPT}x/answer"], None),
        ([], None),
    ],
)
def test_an_attempt_is_known_by_the_requests_that_made_its_call(
    addresses: list[str], attempt: UUID | None
) -> None:
    assert carrier_on(FakeTwilio(Reply(200, events(*addresses)))).identify(CALL) == attempt


# -- recordings


def test_a_recording_is_fetched_whole() -> None:
    fake = FakeTwilio(Reply(200, WAV + b"\0" * 600_000))
    sound = carrier_on(fake).recording(RECORDING)
    assert sound == WAV + b"\0" * 600_000
    assert fake.lines == [f"GET /Recordings/{RECORDING}.wav"]


@pytest.mark.parametrize("ref", ["", "RE1", "../Calls", RECORDING + "/x", RECORDING + "\n"])
def test_a_name_that_is_no_recording_s_asks_nobody(ref: str) -> None:
    fake = FakeTwilio()
    assert carrier_on(fake).recording(ref) is None
    assert fake.sent == []


@pytest.mark.parametrize("reply", [Reply(404, {}), Reply(302, b""), Reply(200, b"<html>"), Reply(200, b"")])
def test_what_is_no_recording_is_none(reply: Reply) -> None:
    assert carrier_on(FakeTwilio(reply)).recording(RECORDING) is None


@pytest.mark.parametrize(("limit", "value"), [("MEDIA_BYTES", 100_000), ("MEDIA_SECONDS", -1)])
def test_a_recording_too_large_or_too_slow_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(twilio_http, limit, value)
    assert carrier_on(FakeTwilio(Reply(200, WAV + b"\0" * 200_000))).recording(RECORDING) is None

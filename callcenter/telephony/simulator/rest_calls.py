"""Calls of the Twilio face: create, fetch, list, update."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from werkzeug.wrappers import Request, Response

from .books import Call, CallOrder, CallStatus, EndedBy
from .exchange import Exchange
from .rest_shapes import RestError, call_json, json_response, page_response
from .urls import is_loopback_url
from .world import World

PHONE = re.compile(r"\+[1-9]\d{6,14}")
SOFTPHONE_OR_SIP = re.compile(r"client:[A-Za-z0-9_]{1,121}|sips?:[^\s@]+@[^\s@]+")
EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
# Twilio's published magic numbers for `To`; the last digit decides.
MAGIC_REFUSALS = {
    "+15005550001": (21217, "Phone number does not appear to be valid"),
    "+15005550002": (21214, "The phone number you are attempting to call cannot be reached"),
    "+15005550003": (21215, "Account not authorized to call this number: international permissions are off"),
    "+15005550004": (21216, "Account not allowed to call this number: it is blocked"),
}
MAGIC_BAD_CALLER = "+15005550001"
FIRST_CALLBACK_WAIT_S = 2.0


class CallResource:
    def __init__(self, world: World, exchange: Exchange) -> None:
        self._world = world
        self._exchange = exchange

    def create(self, request: Request) -> Response:
        order = self._read_order(request)
        early = self._world.faults.strikes("cb_before_response")
        call = self._exchange.place(order, at_once=early)
        with self._world.books.lock:
            body = call_json(call, self._world.settings.account_sid, self._world.books.now())
        if early:
            self._world.courier.wait_until_idle(call.sid, FIRST_CALLBACK_WAIT_S)
        return json_response(body, 201)

    def fetch(self, _request: Request, sid: str) -> Response:
        return self._shown(self._find(sid))

    def list(self, request: Request) -> Response:
        lag = timedelta(seconds=self._world.faults.seconds("list_lag_s"))
        books, account = self._world.books, self._world.settings.account_sid
        with books.lock:
            now = books.now()
            seen = (call for call in books.calls_newest_first() if call.created_at <= now - lag)
            calls = list(_matching(seen, request))
            return page_response(
                request, "calls", calls, lambda call: call.sid, lambda call: call_json(call, account, now)
            )

    def update(self, request: Request, sid: str) -> Response:
        call, form = self._find(sid), request.form
        status, url, twiml = form.get("Status"), form.get("Url"), form.get("Twiml")
        if status not in (None, "", CallStatus.CANCELED, CallStatus.COMPLETED):
            raise RestError(400, 21218, "Status must be canceled or completed")
        if url and not is_loopback_url(url):
            raise _bad_url(21205, "Url")
        with self._world.books.lock:
            if not call.is_live:
                raise RestError(400, 21220, "Call is not in-progress. Cannot redirect.")
            if status:
                self._exchange.cut(call, EndedBy.PRODUCT, even_when_talking=status == CallStatus.COMPLETED)
            elif url or twiml:
                if call.status is not CallStatus.IN_PROGRESS:
                    raise RestError(400, 21220, "Call is not in-progress. Cannot redirect.")
                self._exchange.redirect(call, url, _method(form.get("Method")), twiml)
        return self._shown(call)

    def _find(self, sid: str) -> Call:
        call = self._world.books.calls.get(sid)
        if call is None:
            path = f"/2010-04-01/Accounts/{self._world.settings.account_sid}/Calls/{sid}.json"
            raise RestError(404, 20404, f"The requested resource {path} was not found")
        return call

    def _shown(self, call: Call) -> Response:
        books = self._world.books
        with books.lock:
            return json_response(call_json(call, self._world.settings.account_sid, books.now()))

    def _read_order(self, request: Request) -> CallOrder:
        form = request.form
        to, caller = form.get("To", "").strip(), form.get("From", "").strip()
        _check_addresses(to, caller)
        url, twiml = form.get("Url"), form.get("Twiml")
        if not url and not twiml:
            raise RestError(400, 21205, "Url parameter is required")
        if url and not is_loopback_url(url):
            raise _bad_url(21205, "Url")
        if twiml and len(twiml) > 4_000:
            raise RestError(400, 21623, "Twiml must be at most 4000 characters")
        for name in ("FallbackUrl", "StatusCallback"):
            if form.get(name) and not is_loopback_url(form[name]):
                raise _bad_url(21609, name)
        return CallOrder(
            to=to,
            caller=caller,
            url=url or None,
            method=_method(form.get("Method")),
            fallback_url=form.get("FallbackUrl") or None,
            fallback_method=_method(form.get("FallbackMethod")),
            twiml=twiml if not url else None,
            status_callback=form.get("StatusCallback") or None,
            status_callback_method=_method(form.get("StatusCallbackMethod")),
            events=self._read_events(form.getlist("StatusCallbackEvent")),
            timeout_s=_seconds(form.get("Timeout"), "Timeout", 60, 600),
            time_limit_s=_seconds(form.get("TimeLimit"), "TimeLimit", 14_400, 86_400),
        )

    def _read_events(self, asked: Iterable[str]) -> frozenset[str]:
        """Each key names one event. A list in one value is not understood, exactly as at Twilio."""
        named = [event for event in asked if event]
        for event in named:
            if event not in EVENTS:
                self._world.journal.alert(21626, "unknown StatusCallbackEvent, ignored", "")
        return frozenset(named) & EVENTS if named else frozenset({"completed"})


def _check_addresses(to: str, caller: str) -> None:
    if not to:
        raise RestError(400, 21201, "No 'To' number is specified")
    if not caller:
        raise RestError(400, 21213, "No 'From' number is specified")
    if not (PHONE.fullmatch(caller) or SOFTPHONE_OR_SIP.fullmatch(caller)) or caller == MAGIC_BAD_CALLER:
        raise RestError(
            400, 21212, "The 'From' number is not a valid phone number, shortcode or alphanumeric"
        )
    if to in MAGIC_REFUSALS:
        raise RestError(400, *MAGIC_REFUSALS[to])
    if not (PHONE.fullmatch(to) or SOFTPHONE_OR_SIP.fullmatch(to)):
        raise RestError(400, 21211, "Invalid 'To' Phone Number")


def _bad_url(code: int, name: str) -> RestError:
    return RestError(
        400, code, f"{name} is not a valid URL: this carrier reaches http(s) on the loopback interface only"
    )


def _method(value: str | None) -> str:
    return "GET" if (value or "").upper() == "GET" else "POST"


def _seconds(text: str | None, name: str, default: int, most: int) -> int:
    if not text:
        return default
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise RestError(400, 20001, f"{name} must be a whole number of seconds from 1 to {most}")
    return int(text)


def _matching(calls: Iterable[Call], request: Request) -> Iterable[Call]:
    asked = request.args
    day = asked.get("StartTime", "")[:10]  # the SDK sends midnight; Twilio means the whole day
    after = _bound(asked.get("StartTime>") or day, end_of_day=False)
    before = _bound(asked.get("StartTime<") or day, end_of_day=True)
    for call in calls:
        started = call.answered_at or call.dialed_at
        if (
            asked.get("To", call.order.to) == call.order.to
            and asked.get("From", call.order.caller) == call.order.caller
            and asked.get("Status", call.status.value) == call.status.value
            and (after is None or (started is not None and started >= after))
            and (before is None or (started is not None and started <= before))
            and "ParentCallSid" not in asked
        ):
            yield call


def _bound(text: str | None, *, end_of_day: bool) -> datetime | None:
    """A whole day when only a date is given, else the moment itself; UTC."""
    if not text:
        return None
    try:
        if len(text) == 10:
            day = date.fromisoformat(text)
            start = datetime(day.year, day.month, day.day, tzinfo=UTC)
            return start + timedelta(days=1, microseconds=-1) if end_of_day else start
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise RestError(400, 20001, "a time filter must be YYYY-MM-DD or an ISO 8601 time") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

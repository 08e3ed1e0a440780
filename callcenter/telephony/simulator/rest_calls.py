"""Calls of the Twilio face: create, fetch, list, update; what happened to one, as its Events."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from werkzeug.wrappers import Request, Response

from .exchange import Exchange
from .records import Call, CallOrder, CallStatus, EndedBy
from .rest_forms import call_order, seconds, url_of
from .rest_shapes import (
    AnswerCut,
    RestError,
    call_json,
    created_event_json,
    delivery_event_json,
    json_response,
    page_response,
)
from .twiml import method_of
from .world import World

FIRST_CALLBACK_WAIT_S = 2.0


class Placing:
    """Taking a new call, with the account's limits and the faults that strike there."""

    def __init__(self, world: World, exchange: Exchange) -> None:
        self._world = world
        self._exchange = exchange

    def place(self, order: CallOrder) -> Call:
        """Queue it. Raises `RestError` over the limit, and `AnswerCut` when it comes into being later."""
        most, faults = self._world.limits.concurrency, self._world.faults
        with self._world.books.lock:
            if most and len(self._world.books.live) >= most:
                raise RestError(429, 10004, "Call concurrency limit exceeded")
            late_s = faults.seconds("late_accept")
            if late_s:
                self._world.timers.after(late_s, lambda: self._exchange.place(order))
                raise AnswerCut
            return self._exchange.place(order, at_once=faults.strikes("cb_before_response"))

    def let_callback_win(self, call: Call) -> None:
        """When the fault dialed it at once, answer only after its first callback. Not under the lock."""
        if call.dialed_at is not None:
            self._world.courier.wait_until_idle(call.sid, FIRST_CALLBACK_WAIT_S)

    def ignored(self, _event: str) -> None:
        self._world.journal.alert(21626, "unknown StatusCallbackEvent, ignored", "")


class CallResource:
    def __init__(self, world: World, exchange: Exchange, placing: Placing) -> None:
        self._world = world
        self._exchange = exchange
        self._placing = placing

    def create(self, request: Request) -> Response:
        order = call_order(request, self._placing.ignored)
        call = self._placing.place(order)
        with self._world.books.lock:
            shown = call_json(call, self._world.settings.account_sid, self._world.books.now())
        self._placing.let_callback_win(call)
        # However far it is by now: the answer shows it as it was taken.
        return json_response(shown | {"status": CallStatus.QUEUED.value}, 201)

    def fetch(self, _request: Request, sid: str) -> Response:
        return self._shown(self.find(sid))

    def list(self, request: Request) -> Response:
        lag = timedelta(seconds=self._world.faults.seconds("list_lag"))
        books, account = self._world.books, self._world.settings.account_sid
        with books.lock:
            now = books.now()
            kept = books.calls_newest_first(request.args.get("To"))
            seen = (call for call in kept if call.created_at <= now - lag)
            calls = list(_matching(seen, request))
            return page_response(
                request, "calls", calls, lambda call: call.sid, lambda call: call_json(call, account, now)
            )

    def update(self, request: Request, sid: str) -> Response:
        call, form = self.find(sid), request.form
        status, url, twiml = form.get("Status"), url_of(form, "Url", 21205), form.get("Twiml")
        if status not in (None, "", CallStatus.CANCELED, CallStatus.COMPLETED):
            raise RestError(400, 21218, "Status must be canceled or completed")
        with self._world.books.lock:
            if not call.is_live:
                raise RestError(400, 21220, "Call is not in-progress. Cannot redirect.")
            self._reorder(call, request)
            if status:
                self._exchange.cut(call, EndedBy.PRODUCT, even_when_talking=status == CallStatus.COMPLETED)
            elif url or twiml:
                if call.status is not CallStatus.IN_PROGRESS:
                    raise RestError(400, 21220, "Call is not in-progress. Cannot redirect.")
                self._exchange.redirect(call, url, method_of(form.get("Method")), twiml)
        return self._shown(call)

    def events(self, request: Request, sid: str) -> Response:
        """The creating request, then every webhook of the call, oldest first."""
        call, account = self.find(sid), self._world.settings.account_sid
        with self._world.books.lock:
            happened = [created_event_json(call, account)]
            happened += [delivery_event_json(call, delivery) for delivery in call.deliveries]
            numbered = list(enumerate(happened))
            return page_response(request, "events", numbered, lambda each: str(each[0]), lambda each: each[1])

    def find(self, sid: str) -> Call:
        call = self._world.books.calls.get(sid)
        if call is None:
            path = f"/2010-04-01/Accounts/{self._world.settings.account_sid}/Calls/{sid}.json"
            raise RestError(404, 20404, f"The requested resource {path} was not found")
        return call

    def _reorder(self, call: Call, request: Request) -> None:
        """What an update may change besides what the call does now."""
        form, order = request.form, call.order
        if form.get("StatusCallback"):
            order = replace(
                order,
                status_callback=url_of(form, "StatusCallback"),
                status_callback_method=method_of(form.get("StatusCallbackMethod")),
            )
        if form.get("FallbackUrl"):
            order = replace(
                order,
                fallback_url=url_of(form, "FallbackUrl"),
                fallback_method=method_of(form.get("FallbackMethod")),
            )
        if form.get("TimeLimit"):
            order = replace(order, time_limit_s=seconds(form, "TimeLimit", 14_400, 86_400))
            call.order = order
            self._exchange.limit_changed(call)
        call.order = order

    def _shown(self, call: Call) -> Response:
        books = self._world.books
        with books.lock:
            return json_response(call_json(call, self._world.settings.account_sid, books.now()))


def _matching(calls: Iterable[Call], request: Request) -> Iterable[Call]:
    asked = request.args
    starts, ends = Window(request, "StartTime"), Window(request, "EndTime")
    for call in calls:
        if (
            asked.get("From", call.order.caller) == call.order.caller
            and asked.get("Status", call.status.value) == call.status.value
            and starts.holds(call.answered_at or call.dialed_at)
            and ends.holds(call.ended_at)
            and "ParentCallSid" not in asked
        ):
            yield call


class Window:
    """`Name`, `Name>` and `Name<` of a list request. The SDK sends midnight for a date: the whole day."""

    def __init__(self, request: Request, name: str) -> None:
        day = request.args.get(name, "")[:10]
        self._after = _bound(request.args.get(f"{name}>") or day, end_of_day=False)
        self._before = _bound(request.args.get(f"{name}<") or day, end_of_day=True)

    def holds(self, moment: datetime | None) -> bool:
        if self._after is None and self._before is None:
            return True
        if moment is None:
            return False
        return (self._after is None or moment >= self._after) and (
            self._before is None or moment <= self._before
        )


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

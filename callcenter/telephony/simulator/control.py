"""`/_sim`: the far end of every call, faults, the clock and the log, for people, tests and programs.

No password: it is reachable from this machine only. What a browser could be tricked into is refused by
`guard`: a foreign Host (a name rebound to the loopback address) and a foreign Origin (another site's page).
"""

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from werkzeug.exceptions import BadRequest, Forbidden, HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from .chance import BadPlan
from .exchange import Exchange
from .faults import BadFaults
from .outcomes import number_plan, read_campaign
from .page import control_page
from .records import Call
from .world import World

LONGEST_ALONE_S = 2.0


def guard(request: Request, port: int) -> None:
    """Raise Forbidden unless the request was addressed to, and made from, this very server."""
    own = {f"127.0.0.1:{port}", f"localhost:{port}"}
    if request.environ.get("HTTP_HOST", "") not in own:
        raise Forbidden("address the simulator as 127.0.0.1 or localhost")
    origin = request.headers.get("Origin")
    if origin is not None and (urlsplit(origin).scheme != "http" or urlsplit(origin).netloc not in own):
        raise Forbidden("requests from other sites are refused")
    if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        raise Forbidden("requests from other sites are refused")


class ControlFace:
    def __init__(self, world: World, exchange: Exchange) -> None:
        self._world = world
        self._exchange = exchange
        number = "/_sim/numbers/<address>"
        self._routes = Map(
            [
                _rule("/", "GET", self.page),
                _rule("/_sim/health", "GET", self.health),
                _rule("/_sim/calls", "GET", self.calls),
                _rule("/_sim/calls/<sid>/<any(answer, hangup, busy):press>", "POST", self.press),
                _rule("/_sim/numbers", "GET", self.numbers),
                _rule(number, "PUT", self.put_number),
                _rule(number, "DELETE", self.delete_number),
                _rule("/_sim/campaigns", "GET", self.campaigns),
                _rule("/_sim/campaigns", "DELETE", self.delete_campaigns),
                _rule("/_sim/campaigns/<prefix>", "PUT", self.put_campaign),
                _rule("/_sim/campaigns/<prefix>", "DELETE", self.delete_campaigns),
                _rule("/_sim/faults", "GET", self.faults),
                _rule("/_sim/faults", "PUT", self.put_faults),
                _rule("/_sim/faults", "DELETE", self.delete_faults),
                _rule("/_sim/clock", "GET", self.clock),
                _rule("/_sim/clock", "PUT", self.put_clock),
                _rule("/_sim/log", "GET", self.log),
                _rule("/_sim/invariants", "GET", self.invariants),
            ]
        )

    def handle(self, request: Request, port: int) -> Response:
        try:
            guard(request, port)
            endpoint, values = self._routes.bind_to_environ(request.environ).match()
            response: Response = endpoint(request, **values)
        except (BadFaults, BadPlan) as error:
            response = _json({"error": str(error)}, 400)
        except HTTPException as error:
            response = _json({"error": error.description or error.name}, error.code or 500)
        response.headers["Cache-Control"] = "no-store"
        return response

    def page(self, _request: Request) -> Response:
        return control_page()

    def health(self, _request: Request) -> Response:
        with self._world.books.lock:
            calls = self._world.books.calls.values()
            facts = {
                "status": "ok",
                "calls": len(calls),
                "live_calls": sum(call.is_live for call in calls),
                "busy_webhook_lanes": self._world.courier.busy_lanes(),
                "seq": self._world.books.seq,
            }
        return _json(facts)

    def calls(self, request: Request) -> Response:
        after = request.args.get("after", 0, type=int)
        books = self._world.books
        with books.lock:
            now = books.now()
            changed = [_call_json(call, now) for call in books.calls_changed_after(after)]
            return _json({"seq": books.seq, "calls": changed})

    def press(self, _request: Request, sid: str, press: str) -> Response:
        """Be the far end: 409 when the call is not in a state where that button means anything."""
        call = self._world.books.calls.get(sid)
        if call is None:
            raise NotFound("no such call")
        actions: dict[str, Callable[[Call], bool]] = {
            "answer": self._exchange.answer,
            "hangup": self._exchange.hang_up_far_end,
            "busy": self._exchange.reject_as_busy,
        }
        done = actions[press](call)
        with self._world.books.lock:
            return _json(_call_json(call, self._world.books.now()), 200 if done else 409)

    def numbers(self, _request: Request) -> Response:
        with self._world.books.lock:
            return _json({to: plan.as_json() for to, plan in self._world.books.number_plans.items()})

    def put_number(self, request: Request, address: str) -> Response:
        plan = number_plan(_body(request))
        with self._world.books.lock:
            self._world.books.number_plans[address] = plan
        return _json(plan.as_json())

    def delete_number(self, _request: Request, address: str) -> Response:
        with self._world.books.lock:
            self._world.books.number_plans.pop(address, None)
        return Response(status=204)

    def campaigns(self, _request: Request) -> Response:
        with self._world.books.lock:
            campaigns = self._world.books.campaigns.items()
            return _json({prefix: campaign.as_json() for prefix, campaign in campaigns})

    def put_campaign(self, request: Request, prefix: str) -> Response:
        campaign = read_campaign(_body(request))
        with self._world.books.lock:
            self._world.books.campaigns[prefix] = campaign
        return _json(campaign.as_json())

    def delete_campaigns(self, _request: Request, prefix: str | None = None) -> Response:
        with self._world.books.lock:
            if prefix is None:
                self._world.books.campaigns.clear()
            else:
                self._world.books.campaigns.pop(prefix, None)
        return Response(status=204)

    def faults(self, _request: Request) -> Response:
        return _json(self._world.faults.as_json())

    def put_faults(self, request: Request) -> Response:
        self._world.faults.set(_body(request))
        self._world.journal.note("faults.set", faults=self._world.faults.as_json())
        return _json(self._world.faults.as_json())

    def delete_faults(self, _request: Request) -> Response:
        self._world.faults.clear()
        return Response(status=204)

    def clock(self, _request: Request) -> Response:
        return _json({"speed": self._world.timers.speed})

    def put_clock(self, request: Request) -> Response:
        body = _body(request)
        speed = body.get("speed") if isinstance(body, dict) else None
        if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0 < speed <= 10_000:
            raise BadRequest("speed must be a number above 0 and at most 10000")
        self._world.timers.set_speed(float(speed))
        return _json({"speed": self._world.timers.speed})

    def log(self, request: Request) -> Response:
        after = request.args.get("after", 0, type=int)
        return _json({"lines": self._world.journal.lines_after(after, request.args.get("event"))})

    def invariants(self, _request: Request) -> Response:
        """What a test asserts on: repeats per number and per answer URL, who was left alone after pick-up."""
        books = self._world.books
        with books.lock:
            now, calls = books.now(), list(books.calls.values())
            numbers = Counter(call.order.to for call in calls if call.order.to.startswith("+"))
            urls = Counter((call.order.url or "").partition("?")[0] for call in calls if call.order.url)
            alone = [call.sid for call in calls if _was_alone(call, now)]
        return _json(
            {
                "calls": len(calls),
                "most_calls_to_one_number": max(numbers.values(), default=0),
                "most_calls_for_one_url": max(urls.values(), default=0),
                "calls_per_number": numbers,
                "calls_per_url": urls,
                "answered_alone_over_2_s": alone,
            }
        )


def _was_alone(call: Call, now: datetime) -> bool:
    """Answered by somebody who would hang up some day, and nobody there to talk with for over 2 s."""
    if call.answered_at is None or call.fate is None or call.fate.talk_s is None:
        return False
    company = call.first_company_at or call.ended_at or now
    return (company - call.answered_at).total_seconds() > LONGEST_ALONE_S


def _call_json(call: Call, now: datetime) -> dict[str, Any]:
    return {
        "sid": call.sid,
        "to": call.order.to,
        "from": call.order.caller,
        "status": call.status.value,
        "created_at": _iso(call.created_at),
        "ringing_at": _iso(call.ringing_at),
        "answered_at": _iso(call.answered_at),
        "joined_room_at": _iso(call.joined_room_at),
        "room": call.room,
        "hears": call.hears(),
        "answered_by": call.answered_by,
        "ended_at": _iso(call.ended_at),
        "duration_s": round(call.duration_s(now), 3),
        "talked_s": round(call.talking_s(now), 3),
        "ended_by": call.ended_by.value if call.ended_by else None,
        "seq": call.seq,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None


def _body(request: Request) -> Any:
    try:
        return json.loads(request.get_data())
    except ValueError as error:
        raise BadRequest("send JSON") from error


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json")


def _rule(path: str, method: str, handler: Callable[..., Any]) -> Rule:
    return Rule(path, methods=[method], endpoint=handler)

"""`/_sim`: the far end of every call, faults, the clock and the log, for people, tests and programs.

No password: it is reachable from this machine only. What a browser could be tricked into is refused by
`guard`: a foreign Host (a name rebound to the loopback address) and a foreign Origin (another site's page).
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from werkzeug.exceptions import BadRequest, Conflict, Forbidden, HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from .chance import BadPlan, number
from .control_shapes import call_json, iso, room_json
from .exchange import Exchange
from .faults import BadFaults
from .invariants import invariants
from .outcomes import number_plan, read_campaign
from .page import control_page
from .records import Call
from .scenario import Director, parse_scenario
from .world import World

LONGEST_ADVANCE_S = 7 * 86_400.0


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
    def __init__(self, world: World, exchange: Exchange, director: Director) -> None:
        self._world = world
        self._exchange = exchange
        self._director = director
        self._routes = Map([*self._far_end_rules(), *self._world_rules()])

    def _far_end_rules(self) -> list[Rule]:
        number, phone = "/_sim/numbers/<address>", "/_sim/softphones/<identity>"
        return [
            _rule("/", "GET", self.page),
            _rule("/favicon.ico", "GET", lambda _request: Response(status=204)),
            _rule("/_sim/health", "GET", self.health),
            _rule("/_sim/calls", "GET", self.calls),
            _rule("/_sim/calls/<sid>/<any(answer, hangup, busy):press>", "POST", self.press),
            _rule("/_sim/calls/<sid>/keys", "POST", self.press_keys),
            _rule("/_sim/rooms", "GET", self.rooms),
            _rule("/_sim/numbers", "GET", self.numbers),
            _rule(number, "PUT", self.put_number),
            _rule(number, "DELETE", self.delete_number),
            _rule("/_sim/campaigns", "GET", self.campaigns),
            _rule("/_sim/campaigns", "DELETE", self.delete_campaigns),
            _rule("/_sim/campaigns/<prefix>", "PUT", self.put_campaign),
            _rule("/_sim/campaigns/<prefix>", "DELETE", self.delete_campaigns),
            _rule("/_sim/softphones", "GET", self.softphones),
            _rule("/_sim/softphones", "PUT", self.put_softphones),
            _rule(f"{phone}/cut", "POST", self.cut_softphone),
            _rule(f"{phone}/warn", "POST", self.warn_softphone),
        ]

    def _world_rules(self) -> list[Rule]:
        return [
            _rule("/_sim/faults", "GET", self.faults),
            _rule("/_sim/faults", "PUT", self.put_faults),
            _rule("/_sim/faults", "DELETE", self.delete_faults),
            _rule("/_sim/faults/<name>", "DELETE", self.delete_faults),
            _rule("/_sim/limits", "GET", self.limits),
            _rule("/_sim/limits", "PUT", self.put_limits),
            _rule("/_sim/clock", "GET", self.clock),
            _rule("/_sim/clock", "PUT", self.put_clock),
            _rule("/_sim/clock", "POST", self.put_clock),
            _rule("/_sim/clock/advance", "POST", self.advance),
            _rule("/_sim/scenario", "GET", self.scenario),
            _rule("/_sim/scenario", "POST", self.begin_scenario),
            _rule("/_sim/scenario", "DELETE", self.stop_scenario),
            _rule("/_sim/log", "GET", self.log),
            _rule("/_sim/invariants", "GET", self.invariants),
        ]

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
        books = self._world.books
        with books.lock:
            facts = {
                "status": "ok",
                "calls": len(books.calls),
                "live_calls": len(books.live),
                "busy_webhook_lanes": self._world.courier.busy_lanes(),
                "seq": books.seq,
            }
        return _json(facts)

    def calls(self, request: Request) -> Response:
        after = request.args.get("after", 0, type=int)
        books = self._world.books
        with books.lock:
            now = books.now()
            changed = [call_json(call, now) for call in books.calls_changed_after(after)]
            return _json({"seq": books.seq, "calls": changed})

    def press(self, _request: Request, sid: str, press: str) -> Response:
        """Be the far end: 409 when the call is not in a state where that button means anything."""
        actions: dict[str, Callable[[Call], bool]] = {
            "answer": self._exchange.answer,
            "hangup": self._exchange.hang_up_far_end,
            "busy": self._exchange.reject_as_busy,
        }
        return self._pressed(sid, actions[press])

    def press_keys(self, request: Request, sid: str) -> Response:
        digits = _object(request).get("digits")
        if not isinstance(digits, str) or set(digits) - set("0123456789*#"):
            raise BadRequest("digits must be 0-9, * and #")
        return self._pressed(sid, lambda call: self._exchange.press_keys(call, digits))

    def _pressed(self, sid: str, action: Callable[[Call], bool]) -> Response:
        call = self._world.books.calls.get(sid)
        if call is None:
            raise NotFound("no such call")
        done = action(call)
        with self._world.books.lock:
            return _json(call_json(call, self._world.books.now()), 200 if done else 409)

    def rooms(self, _request: Request) -> Response:
        """Live rooms, and how each leg is in it."""
        with self._world.books.lock:
            return _json({"rooms": [room_json(room) for room in self._world.books.live_rooms()]})

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

    def softphones(self, _request: Request) -> Response:
        phones = self._exchange.phones
        return _json({"absent": phones.absent, "sessions": phones.as_json()})

    def put_softphones(self, request: Request) -> Response:
        self._director.set_softphones(_body(request))
        return self.softphones(request)

    def cut_softphone(self, _request: Request, identity: str) -> Response:
        return _json({"cut": self._exchange.phones.cut(identity)})

    def warn_softphone(self, request: Request, identity: str) -> Response:
        name = _object(request).get("name", "high-rtt")
        return _json({"warned": self._exchange.phones.warn(identity, str(name))})

    def faults(self, _request: Request) -> Response:
        return _json(self._world.faults.as_json())

    def put_faults(self, request: Request) -> Response:
        self._world.faults.set(_body(request))
        self._world.journal.note("faults.set", faults=self._world.faults.as_json())
        return _json(self._world.faults.as_json())

    def delete_faults(self, _request: Request, name: str | None = None) -> Response:
        self._world.faults.clear(name)
        return Response(status=204)

    def limits(self, _request: Request) -> Response:
        limits = self._world.limits
        return _json({"cps": limits.cps, "concurrency": limits.concurrency})

    def put_limits(self, request: Request) -> Response:
        self._director.set_limits(_body(request))
        return self.limits(request)

    def clock(self, _request: Request) -> Response:
        timers = self._world.timers
        mode = "manual" if timers.is_manual else "real" if timers.speed == 1 else "fast"
        now = self._world.books.now()
        return _json({"speed": timers.speed, "mode": mode, "now": iso(now), "timers": timers.waiting()})

    def put_clock(self, request: Request) -> Response:
        """`{"speed": 10}` runs at that speed, `{"mode": "real"}` at 1; `{"mode": "manual"}` stands."""
        body = _object(request)
        if body.get("mode") not in (None, "manual", "real", "fast"):
            raise BadRequest("mode must be real, fast or manual")
        if body.get("mode") == "manual":
            self._world.timers.stand()
        else:
            self._director.set_speed(1 if body.get("mode") == "real" else body.get("speed"))
        return self.clock(request)

    def advance(self, request: Request) -> Response:
        """Move a standing clock; 409 while it runs by itself."""
        seconds = number("seconds", _object(request).get("seconds"), LONGEST_ADVANCE_S)
        if not self._world.timers.is_manual:
            raise Conflict("the clock runs by itself; set its mode to manual first")
        fired = self._world.advance(seconds)
        return _json({"fired": fired, "now": iso(self._world.books.now())})

    def scenario(self, _request: Request) -> Response:
        return _json(self._director.as_json())

    def begin_scenario(self, request: Request) -> Response:
        self._director.begin(parse_scenario(request.get_data(as_text=True)))
        return _json(self._director.as_json(), 201)

    def stop_scenario(self, _request: Request) -> Response:
        self._director.stop()
        return Response(status=204)

    def log(self, request: Request) -> Response:
        after = request.args.get("after", 0, type=int)
        return _json({"lines": self._world.journal.lines_after(after, request.args.get("event"))})

    def invariants(self, _request: Request) -> Response:
        """What a test asserts on."""
        with self._world.books.lock:
            return _json(invariants(self._world.books, self._world.courier.tally))


def _body(request: Request) -> Any:
    try:
        return json.loads(request.get_data())
    except ValueError as error:
        raise BadRequest("send JSON") from error


def _object(request: Request) -> dict[str, Any]:
    body = _body(request)
    if not isinstance(body, dict):
        raise BadRequest("send a JSON object")
    return body


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json")


def _rule(path: str, method: str, handler: Callable[..., Any]) -> Rule:
    return Rule(path, methods=[method], endpoint=handler)

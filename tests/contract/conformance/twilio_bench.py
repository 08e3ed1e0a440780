"""The bench of the Twilio adapter: the simulator as the carrier, a tiny web server as the product."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

from callcenter.domain.ports import Answer, CallbackRequest, Carrier
from callcenter.telephony.twilio import TwilioAccount, TwilioCarrier
from tests.contract.conformance.bench import FarEnd, Leg, Trouble
from tests.simulator.sim import (
    ACCOUNT_SID,
    API_KEY_SECRET,
    API_KEY_SID,
    AUTH_TOKEN,
    CALLER,
    Product,
    Simulator,
    start_simulator,
    wait_for,
)

T = TypeVar("T")
_FAULTS = {
    Trouble.TOO_MANY: "rest_429",
    Trouble.FAULT_BEFORE: "rest_500_before",
    Trouble.FAULT_AFTER: "rest_500_after",
    Trouble.CUT_AFTER: "drop_after",
}
_SURE = {"accuracy": 1, "unknown": 0}
"""A detector that is never wrong; the simulator's usual one errs as real ones do."""
_PLANS: dict[FarEnd, dict[str, Any]] = {
    FarEnd.ANSWERS: {"outcome": "human", "ring_s": 1, "talk_s": 10_000, "amd": _SURE},
    FarEnd.MACHINE: {"outcome": "machine", "ring_s": 1, "talk_s": 10_000, "amd": _SURE},
    FarEnd.BUSY: {"outcome": "busy", "ring_s": 1},
    FarEnd.NO_ANSWER: {"outcome": "no-answer", "ring_s": 60},
}
_PATIENCE_S = 10.0
_numbers = count(1)


class TwilioBench:
    """`conformance.bench.Bench` for Twilio."""

    def __init__(self, simulator: Simulator, product: Product) -> None:
        self._simulator, self._product = simulator, product
        self.carrier: Carrier = self._at(simulator.base_url)

    def _at(self, base_url: str) -> TwilioCarrier:
        account = TwilioAccount(
            account_sid=ACCOUNT_SID,
            auth_token=AUTH_TOKEN,
            caller_id=CALLER,
            public_base_url=self._product.base_url,
            base_url=base_url,
            timeout_seconds=5,
            api_key_sid=API_KEY_SID,
            api_key_secret=API_KEY_SECRET,
        )
        return TwilioCarrier(account)

    def number(self, far_end: FarEnd) -> str:
        if far_end is FarEnd.INVALID:
            return "+15005550001"  # Twilio's own number for "no such number"
        number = f"+1202556{next(_numbers):04d}"
        self._simulator.set_number(number, **_PLANS[far_end])
        return number

    def agent_address(self, agent_id: UUID) -> str:
        return f"client:agent_{agent_id.hex}"

    def answers(self, leg: Leg, subject: UUID, decision: Answer) -> None:
        self._product.answers[f"/carrier/twilio/{leg}/{subject}/answer"] = self.carrier.answer(decision)

    def callbacks(self, leg: Leg, subject: UUID) -> Sequence[CallbackRequest]:
        below = f"/carrier/twilio/{leg}/{subject}/"
        return [
            CallbackRequest(received.path, list(received.params.items()), received.headers)
            for received in list(self._product.received)
            if received.path.startswith(below) and not received.path.endswith("/answer")
        ]

    def wait_for(self, what: Callable[[], T]) -> T:
        found: T = wait_for(what, _PATIENCE_S)
        return found

    def lets_pass(self) -> None:
        wait_for(lambda: self._simulator.control("GET", "health").json()["busy_webhook_lanes"] == 0)

    def has_trouble(self, trouble: Trouble) -> None:
        assert self._simulator.control("PUT", "faults", {_FAULTS[trouble]: {"next": 1}}).ok

    def requests_for_calls(self) -> int:
        lines = self._simulator.control("GET", "log?event=rest.answered").json()["lines"]
        return sum(line["method"] == "POST" for line in lines)

    def calls_to(self, number: str) -> int:
        calls = self._simulator.control("GET", "calls").json()["calls"]
        return sum(call["to"] == number for call in calls)

    def lists_lag(self, lag: bool) -> None:
        if lag:
            assert self._simulator.control("PUT", "faults", {"list_lag": 600}).ok
        else:
            assert self._simulator.control("DELETE", "faults").ok

    def unreachable(self) -> Carrier:
        return self._at("http://127.0.0.1:1")

    def unheard_of(self) -> str:
        return "CA" + "0" * 32

    def rests(self) -> None:
        self._simulator.settle()
        self._product.received.clear()
        self._product.answers.clear()


@contextmanager
def twilio() -> Iterator[TwilioBench]:
    """The Twilio adapter at a simulator of its own."""
    simulator, product = start_simulator(), Product().start()
    try:
        yield TwilioBench(simulator, product)
    finally:
        product.stop()
        simulator.stop()

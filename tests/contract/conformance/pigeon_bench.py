"""The bench of Pigeon Post: no server and no clock, time passes by steps."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

from callcenter.domain.ports import Answer, CallbackRequest, Carrier
from tests.contract.conformance.bench import FarEnd, Leg, Trouble
from tests.contract.conformance.pigeon import PigeonCarrier
from tests.contract.conformance.pigeon_exchange import Exchange, Unreached

T = TypeVar("T")
_STEPS = 12
KEY = b"a-seal-for-tests"


class PigeonBench:
    """`conformance.bench.Bench` for Pigeon Post; `adapter` is the class under test."""

    def __init__(self, adapter: Callable[[Callable[..., Any], bytes], Carrier] = PigeonCarrier) -> None:
        self._adapter = adapter
        self._told: list[CallbackRequest] = []
        self._answers: dict[str, str] = {}
        self._numbers = count(1)
        self.exchange = Exchange(KEY, lambda tag: self._answers.get(tag, ""), self._told.append)
        self.carrier: Carrier = adapter(self.exchange.request, KEY)

    def number(self, far_end: FarEnd) -> str:
        number = f"+4930555{next(self._numbers):04d}"
        self.exchange.plans[number] = far_end.value
        return number

    def agent_address(self, agent_id: UUID) -> str:
        return f"perch:{agent_id.hex}"

    def answers(self, leg: Leg, subject: UUID, decision: Answer) -> None:
        self._answers[f"{leg}:{subject}"] = self.carrier.answer(decision)

    def callbacks(self, leg: Leg, subject: UUID) -> Sequence[CallbackRequest]:
        return [each for each in self._told if each.target.startswith(f"/carrier/pigeon/{leg}/{subject}/")]

    def wait_for(self, what: Callable[[], T]) -> T:
        for _ in range(_STEPS):
            if found := what():
                return found
            self.exchange.step()
        raise AssertionError("it did not happen in time")

    def lets_pass(self) -> None:
        self.exchange.step()

    def has_trouble(self, trouble: Trouble) -> None:
        self.exchange.trouble = trouble.value

    def requests_for_calls(self) -> int:
        return self.exchange.orders

    def calls_to(self, number: str) -> int:
        return sum(found.to == number for found in self.exchange.dispatches.values())

    def lists_lag(self, lag: bool) -> None:
        self.exchange.lags = lag

    def unreachable(self) -> Carrier:
        def nobody(_verb: str, **_asked: Any) -> Any:
            raise Unreached

        return self._adapter(nobody, KEY)

    def unheard_of(self) -> str:
        return "pigeon-0"

    def rests(self) -> None:
        self.__init__(self._adapter)  # type: ignore[misc]


@contextmanager
def pigeon() -> Iterator[PigeonBench]:
    """Pigeon Post with its own adapter."""
    yield PigeonBench()

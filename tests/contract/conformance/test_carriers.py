"""Every carrier keeps every promise of the port."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib import import_module

import pytest

from tests.contract.conformance.bench import Bench
from tests.contract.conformance.pigeon_bench import pigeon
from tests.contract.conformance.promises import PROMISES
from tests.contract.conformance.twilio_bench import twilio

Factory = Callable[[], AbstractContextManager[Bench]]
CARRIERS: dict[str, Factory] = {"twilio": twilio, "pigeon": pigeon}


def _wanted() -> dict[str, Factory]:
    """The carriers at hand, or the one that CONFORMANCE_BENCH names as `package.module:factory`."""
    named = os.environ.get("CONFORMANCE_BENCH")
    if not named:
        return CARRIERS
    module, _, factory = named.partition(":")
    return {factory: getattr(import_module(module), factory)}


@pytest.fixture(scope="module", params=list(_wanted().values()), ids=list(_wanted()))
def running(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """One carrier's bench, for all promises."""
    with request.param() as bench:
        yield bench


@pytest.fixture
def bench(running: Bench) -> Iterator[Bench]:
    """The bench, at rest before and after."""
    yield running
    running.rests()


@pytest.mark.parametrize("name", PROMISES)
def test_the_carrier_keeps_its_promise(bench: Bench, name: str) -> None:
    PROMISES[name](bench)

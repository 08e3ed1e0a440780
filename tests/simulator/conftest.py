from collections.abc import Iterator

import pytest

from .contract import faults_of_answer, openapi
from .sim import Product, Simulator, start_simulator


@pytest.fixture(scope="session")
def running_simulator() -> Iterator[Simulator]:
    simulator = start_simulator()
    yield simulator
    assert simulator.stop() == 0


@pytest.fixture
def simulator(running_simulator: Simulator) -> Iterator[Simulator]:
    running_simulator.http.bodies.clear()
    yield running_simulator
    running_simulator.settle()
    document = openapi()
    if document is not None:
        answers = running_simulator.http.bodies
        assert [fault for each in answers for fault in faults_of_answer(document, *each)] == []


@pytest.fixture
def product() -> Iterator[Product]:
    product = Product().start()
    yield product
    product.stop()

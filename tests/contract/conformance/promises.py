"""All promises of the port, by name."""

from collections.abc import Callable

from tests.contract.conformance import about_callbacks, about_calls, about_extras, about_rooms
from tests.contract.conformance.bench import Bench

Promise = Callable[[Bench], None]
PROMISES: dict[str, Promise] = {
    promise.__name__: promise
    for module in (about_calls, about_callbacks, about_rooms, about_extras)
    for promise in module.PROMISES
}

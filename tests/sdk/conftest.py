"""One collector for all SDKs; senders keep apart by user and device."""

from collections.abc import Callable, Iterator

import pytest

from callcenter.embedded import Servers
from tests.web.collector import Collector, collector_on


@pytest.fixture(scope="package")
def collector(
    fresh_database: Callable[[str], str], server_pair: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collector]:
    """The collector on a database of its own."""
    home = tmp_path_factory.mktemp("collector")
    with collector_on(home, fresh_database("sdk"), server_pair.redis_url) as made:
        yield made

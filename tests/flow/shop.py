"""A folder with an event log, its mapping and its journey, and an empty database to import it into."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlmodel import Session, col, select

from callcenter.cli import main
from callcenter.commands.import_events import load_mapping, run_import
from callcenter.models import JourneyEvent, QuarantinedEvent
from callcenter.runtime import Runtime
from tests.servers import test_settings

JOURNEY = """
journey: shop
key: order
gap: none
goal: paid
exits: [given_up]
steps:
  - {id: basket, enter: [basket_filled]}
  - {id: paid, enter: [paid]}
"""
MAPPING = """
source: shop-log
journey: shop.yaml
delimiter: ";"
columns: {customer: who, journey_key: order, activity: what, time: at}
time: {format: "%d.%m.%Y %H:%M:%S", zone: Europe/Berlin}
keep:
  - {column: phase, is: [done, late]}
  - {column: what, starts_with: [B, P]}
events: {B: basket_filled, P: paid}
properties: {amount: {column: sum, type: number}, till: till}
"""
HEADER = "who;order;what;at;phase;sum;till"
ROWS = (
    "c1;o1;B;01.07.2026 10:00:00;done;12.5;3",
    "c1;o1;B;01.07.2026 10:00:00;started;12.5;3",
    "c1;o1;P;01.07.2026 10:00:00;done;12.5;",
    "c2;o2;B;05.01.2026 10:00:00;late;;4",
    "c2;o2;X;05.01.2026 10:00:00;done;;4",
)


class Shop:
    """A folder with a log, its mapping and its journey, and an empty database to import into."""

    def __init__(self, folder: Path, runtime: Runtime) -> None:
        self.folder, self.runtime = folder, runtime
        self.mapping = self.write("mapping.yaml", MAPPING)
        self.write("shop.yaml", JOURNEY)

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file into the folder."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def log(self, *rows: str, header: str = HEADER, name: str = "log.csv") -> Path:
        """Write a log of these rows."""
        return self.write(name, "\n".join((header, *rows)) + "\n")

    def imports(self, log: Path) -> Any:
        """Import a log as the command does, and return the counts."""
        return run_import(self.runtime, log, self.mapping, load_mapping(self.mapping))[1]

    def commands(self, log: Path, *options: str) -> Result:
        """Call the command, on the test's servers."""
        settings = self.runtime.settings
        return CliRunner().invoke(
            main,
            ["import-events", str(log), "--mapping", str(self.mapping), *options],
            env={"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url},
        )

    def events(self) -> list[JourneyEvent]:
        """All stored events, in the order of the file."""
        with self.runtime.reading() as session:
            return list(session.exec(select(JourneyEvent).order_by(col(JourneyEvent.message_id))))

    def quarantine(self) -> list[QuarantinedEvent]:
        """All bad rows in the order of the file."""
        with self.runtime.reading() as session:
            return list(session.exec(select(QuarantinedEvent).order_by(col(QuarantinedEvent.position))))


@pytest.fixture
def shop(tmp_path: Path, fresh_database: Callable[[str], str], redis_url: str) -> Iterator[Shop]:
    url = fresh_database("imports")
    runtime = Runtime(test_settings(tmp_path / "home", DATABASE_URL=url, REDIS_URL=redis_url))
    yield Shop(tmp_path, runtime)
    runtime.engine.dispose()


def killed_after(runtime: Runtime, chunks: int) -> Callable[[], AbstractContextManager[Session]]:
    """Units of work: one that notes the start, `chunks` more, and then one that dies inside."""
    left = iter(range(chunks + 1))

    @contextmanager
    def unit_of_work() -> Iterator[Session]:
        with runtime.unit_of_work() as session:
            yield session
            if next(left, None) is None:
                raise KeyboardInterrupt

    return unit_of_work

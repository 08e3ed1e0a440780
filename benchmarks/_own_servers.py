"""What benchmarks of a database alone share: servers of their own, and a place for what was found."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine

from callcenter.commands.migrate import migrate
from callcenter.db import make_engine
from callcenter.embedded import servers
from tests.servers import test_settings

T = TypeVar("T")


def on_a_fresh_database(measure: Callable[[Engine], T]) -> T:
    """Return what is measured on a migrated database of an embedded server that ends with it."""
    with tempfile.TemporaryDirectory(prefix="cc-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711 if os.geteuid() == 0 else 0o700)
        with servers(test_settings(Path(folder) / "home"), durable=False) as running:
            migrate(running.database_url)
            engine = make_engine(running.database_url)
            try:
                return measure(engine)
            finally:
                engine.dispose()


def keep(home: Path, name: str, result: Any) -> None:
    """Write what was found to `home/bench/NAME.json`."""
    target = home / "bench" / f"{name}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")

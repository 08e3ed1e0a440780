"""A runtime for one command: on the servers you name, those of the running instance, or its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from callcenter.commands.migrate import migrate
from callcenter.config import load_settings
from callcenter.embedded import servers
from callcenter.errors import BadInput
from callcenter.runtime import Runtime


@contextmanager
def runtime_here() -> Iterator[Runtime]:
    """Lend a runtime on a migrated database for the length of the block.

    Raises ConfigError or Unavailable when there is no database to be had.
    """
    with servers(load_settings(os.environ)) as running:
        migrate(running.database_url)
        runtime = Runtime(
            replace(running.settings, database_url=running.database_url, redis_url=running.redis_url)
        )
        try:
            yield runtime
        finally:
            runtime.engine.dispose()


def read_yaml(path: Path) -> Any:
    """Return what a YAML file says. Raises BadInput naming the file, and the line where it is not YAML."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise BadInput(f"{path}: cannot be read: {reason}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}:" if mark else ""
        raise BadInput(f"{path}:{line} is not YAML: {getattr(error, 'problem', error)}") from error

"""An event that passes the border and breaks what follows: what is told of it, without what it says. Pure."""

from pathlib import Path
from traceback import extract_tb
from typing import Any

from callcenter.domain.events import Rejection

POISON = "poison"


def poison(index: int, raw: Any, error: Exception) -> Rejection:
    """Return the refusal of an event that broke its processing; an error's own text may quote customers."""
    return Rejection(index, POISON, f"the event cannot be processed: {type(error).__name__}", raw)


def where_it_broke(error: Exception) -> str:
    """Return the error's class and the innermost line of ours it came from, for a log line."""
    frames = [frame for frame in extract_tb(error.__traceback__) if "site-packages" not in frame.filename]
    if not frames:
        return type(error).__name__
    return f"{type(error).__name__} at {Path(frames[-1].filename).name}:{frames[-1].lineno}"

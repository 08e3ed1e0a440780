"""What two versions of a trigger rule differ in, as frozen values."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """One entry that differs. `before` is None where it is new, `after` where it is gone.

    Durations are timedeltas, lists tuples. Of `conditions` and `where` each part is a change of its own: a
    comparison or group as it is written; how the parts are joined (`all` or `any`) is the entry
    `conditions.joined` or `where.joined`.
    """

    entry: str
    before: Any
    after: Any

"""Expected failures: each has a code, an HTTP status, a message that is safe to show, and a retry class.

A message says what to do and never holds a customer's name or number, a secret, or a query.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar


class Retry(StrEnum):
    """What a caller may do with a failure."""

    NEVER = "never"
    """Permanent: the same request fails again."""
    LATER = "later"
    """Nothing was done; the same request may be sent again."""
    UNKNOWN = "unknown"
    """It may or may not have been done; look before you repeat it."""


class CallCenterError(Exception):
    """Root of every failure we expect.

    `message` is shown to people as it stands; what only operators may read goes into `__cause__`. With `values` it
    is written with `%(name)s` for each of them: `template` is that text, by which its translation is found.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    retry: ClassVar[Retry] = Retry.NEVER

    def __init__(self, message: str, values: Mapping[str, str] | None = None) -> None:
        self.template, self.values = message, dict(values or {})
        self.message = message % self.values if self.values else message
        super().__init__(self.message)


class ConfigError(CallCenterError):
    """The settings or the machine do not allow a start. Names every problem found, not only the first."""

    code = "bad_configuration"

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("; ".join(self.problems))


class BadInput(CallCenterError):
    """What was sent cannot be accepted. `fields` names each field and what is wrong with it."""

    code = "bad_input"
    status = 400

    def __init__(
        self,
        message: str,
        fields: Mapping[str, Sequence[str]] | None = None,
        *,
        values: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, values)
        self.fields = {name: tuple(problems) for name, problems in (fields or {}).items()}


class Forbidden(CallCenterError):
    """The person is known and may not do this."""

    code = "forbidden"
    status = 403


class NotFound(CallCenterError):
    """There is no such thing, or this person may not know of it."""

    code = "not_found"
    status = 404


class Conflict(CallCenterError):
    """The thing has moved on since it was read; read it again and decide anew."""

    code = "conflict"
    status = 409


class Unavailable(CallCenterError):
    """Something we depend on is away and nothing was done; try again after `retry_after`."""

    code = "unavailable"
    status = 503
    retry = Retry.LATER

    def __init__(self, message: str, retry_after: timedelta = timedelta(seconds=5)) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OutcomeUnknown(CallCenterError):
    """A remote side did not say whether it acted. Never repeat; find out first."""

    code = "outcome_unknown"
    status = 502
    retry = Retry.UNKNOWN

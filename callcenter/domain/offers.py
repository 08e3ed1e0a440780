"""Words and limits of the offers that agents may grant on a call. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

MAX_CODE, MAX_NAME, MAX_WORDS = 40, 60, 400
MAX_MONEY = Decimal("999999999.99")
MAX_COUNT, MAX_DAYS, MAX_TAGS = 100_000, 3_660, 20


class OfferBar(StrEnum):
    """Why an offer may not be granted now."""

    NOT_BEGUN = "not_begun"
    OVER = "over"
    OBJECTS = "objects"
    CUSTOMER_LIMIT = "customer_limit"
    AGENT_LIMIT = "agent_limit"
    DAY_LIMIT = "day_limit"


@dataclass(frozen=True, kw_only=True)
class OfferTerms:
    """What a strategist says of an offer; see the table `offer` for units and what empty means."""

    name: Mapping[str, str]
    words: Mapping[str, str]
    currency: str
    value: Decimal
    cost: Decimal
    valid_from: datetime
    valid_until: datetime | None = None
    journeys: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    per_customer: int | None = None
    per_customer_days: int | None = None
    per_agent_day: int | None = None
    per_day: int | None = None
    time_zone: str = "UTC"

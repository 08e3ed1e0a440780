"""Pages of lists: a cursor says after which row to go on; it stays good while rows come and go."""

import base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from callcenter.reporting.partner_reads import Page, Place
from callcenter.web.api.problems import Unprocessable

Asked = dict[str, Any]


def page_of(asked: Asked) -> Page:
    """Read limit, cursor and since. Raises Unprocessable for a cursor that is none of ours."""
    cursor = asked.get("cursor")
    return Page(asked["limit"], _read(cursor) if cursor else None, asked.get("since"))


def paged(
    rows: Sequence[Any],
    page: Page,
    present: Callable[..., dict[str, Any]],
    place_of: Callable[[Any], Place],
) -> dict[str, Any]:
    """Return the answer for one page; `rows` has one more where the list goes on."""
    shown = rows[: page.limit]
    goes_on = len(rows) > page.limit
    return {
        "items": [present(*row) for row in shown],
        "next_cursor": _written(place_of(shown[-1])) if goes_on and shown else None,
    }


def _written(place: Place) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([place[0].isoformat(), str(place[1])])).decode().rstrip("=")


def _read(cursor: str) -> Place:
    try:
        at, key = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = datetime.fromisoformat(at).astimezone(UTC)
        return moment, UUID(key)
    except (ValueError, TypeError, AttributeError, OverflowError):
        text = "the next_cursor of an answer before"
        raise Unprocessable(f"This cursor is not ours. Send {text}.", {"cursor": [text]}) from None

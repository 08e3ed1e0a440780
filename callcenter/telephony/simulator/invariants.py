"""What must hold whatever happens, counted for a test to assert on. Call under the books' lock."""

from collections import Counter
from datetime import datetime
from typing import Any

from .books import Books
from .records import Call

LONGEST_ALONE_S = 2.0
LIMIT_MARGIN_S = 5.0


def invariants(books: Books, webhooks: Counter[str]) -> dict[str, Any]:
    """Repeats per number and URL, who was left alone, what never ended, signatures taken wrongly."""
    now, calls = books.now(), list(books.calls.values())
    numbers = Counter(call.order.to for call in calls if call.order.to.startswith("+"))
    urls = Counter((call.order.url or "").partition("?")[0] for call in calls if call.order.url)
    return {
        "calls": len(calls),
        "most_calls_to_one_number": max(numbers.values(), default=0),
        "most_calls_for_one_url": max(urls.values(), default=0),
        "numbers_called_more_than_once": sorted(to for to, count in numbers.items() if count > 1),
        "calls_per_number": numbers,
        "calls_per_url": urls,
        "answered_alone_over_2_s": [call.sid for call in calls if _was_alone(call, now)],
        "live_calls": sorted(books.live),
        "calls_over_their_limit": [call.sid for call in books.live.values() if _is_overdue(call, now)],
        "legs_in_rooms": {
            room.name: list(room.participants) for room in books.live_rooms() if room.participants
        },
        "legs_left_in_rooms": [
            sid for room in books.live_rooms() for sid in room.participants if not books.calls[sid].is_live
        ],
        "webhooks_sent": webhooks["sent"],
        "webhooks_undelivered": webhooks["undelivered"],
        "signed_but_refused": webhooks["signed_but_refused"],
        "forged_but_accepted": webhooks["forged_but_accepted"],
    }


def _was_alone(call: Call, now: datetime) -> bool:
    """Answered by somebody who would hang up some day, and nobody there to talk with for over 2 s."""
    if call.answered_at is None or call.fate is None or call.fate.talk_s is None:
        return False
    company = call.first_company_at or call.ended_at or now
    return (company - call.answered_at).total_seconds() > LONGEST_ALONE_S


def _is_overdue(call: Call, now: datetime) -> bool:
    return call.duration_s(now) > call.order.time_limit_s + LIMIT_MARGIN_S

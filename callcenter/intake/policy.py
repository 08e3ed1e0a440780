"""Limits of the collector. Sources: the published limits of the Segment HTTP API, which its SDKs keep to."""

from datetime import timedelta

MAX_BODY_BYTES = 500 * 1024
MAX_EVENT_BYTES = 32 * 1024
MAX_BATCH_EVENTS = 2_500
MAX_NESTING = 32
MAX_PROPERTIES = 10_000
MAX_MESSAGE_ID = 100
MAX_ID = 256
FUTURE_TOLERANCE = timedelta(minutes=2)
SKEW_TOLERANCE = timedelta(seconds=2)
REALTIME_LATENESS = timedelta(hours=24)
MAX_REQUESTS_PER_SECOND = 1_000
"""Of one write key of a source that has no limit of its own, each request of up to MAX_BATCH_EVENTS events.

Ours: far above what one collector can store.
"""
EVENT_KINDS = ("track", "page", "screen", "identify", "alias", "group")
SHORT_KINDS = {"t": "track", "p": "page", "s": "screen", "i": "identify", "a": "alias", "g": "group"}
MAX_SOURCE_NAME = 60
MOST_REQUESTS_PER_SECOND = 100_000
"""More is no limit any more."""
MOST_LATENESS = timedelta(hours=1)
"""An event this late finds its moment over; a source's clocks wait for it no longer."""

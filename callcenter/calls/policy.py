"""Limits of calls. Why each has its value is told in docs/architecture.md, "Never twice, never lost"."""

from datetime import timedelta

RING_TIMEOUT = timedelta(seconds=25)
MAX_CALL = timedelta(hours=2)
LOOK_FOR_LOST_AFTER = timedelta(seconds=30)
QUIET_RINGING = timedelta(seconds=60)
QUIET_TALKING = timedelta(minutes=5)
EMPTY_LOOKS = 5
ABSENT_FOR = timedelta(minutes=10)
RETRY_PLACING = 3

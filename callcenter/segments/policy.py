"""Limits of segments."""

from datetime import timedelta

MOST_SEGMENTS = 100
MOST_ROWS = 8
LONGEST_DAYS = 365
MOST_TIMES = 100
MOST_TEXT = 80
COUNT_WITHIN_MS = 60_000
"""Working a segment out is given up after so long; who is in it stays as it was."""
LOOK_WITHIN_MS = 10_000
"""A person who looks at a draft does not wait longer."""
FRESH_FOR = timedelta(minutes=10)
SHARE_OF_TIME = 20
"""A segment that takes long rests so many times as long as it took."""
AFTER_TROUBLE = timedelta(hours=1)
CHANGED_AT_ONCE = 1_000
SAMPLE = 12
MOST_AGENT_TAGS = 50

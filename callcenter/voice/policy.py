"""Limits of suggestions and surveys."""

from datetime import timedelta

LINK_WORKS_FOR = timedelta(days=7)
"""After so long a survey's link asks nobody any more."""
ASKED_AGAIN_AFTER = timedelta(days=30)
"""A customer is asked at most once in so long, whatever they were called for."""
ASKED_WITHIN = timedelta(hours=24)
"""Nobody is asked about a call that was longer ago."""
ASKED_AT_ONCE = 100
MOST_ANSWER = 1_000
MOST_TITLE = 120
MOST_REASON = 300
MOST_LINKED = 200
LIKE_ENOUGH = 0.3
"""From this likeness on two texts are shown to people as perhaps the same wish."""
EARLIER_WINDOWS = 4
SHOWN_NOTES = 50
EVIDENCE_DAYS = 28

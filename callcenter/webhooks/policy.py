"""Limits of webhooks."""

from datetime import timedelta

FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=6)
TRIED_FOR = timedelta(days=3)
"""After so long a delivery has failed for good; people may replay it."""
LONGEST_REST = timedelta(minutes=10)
"""An endpoint that fails again and again is tried so often, whatever waits for it."""
CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 10.0
"""A request that has not ended by then has failed, however slowly its answer drips."""
CLAIMED_FOR = timedelta(seconds=60)
"""A try whose process has died is made again after so long."""
WORK_SECONDS = 20.0
"""So long one job works for one endpoint; then others get their turn."""
KEPT_LETTERS = 500
"""Of an answer so much is kept."""
FORMER_SECRET_SIGNS_FOR = timedelta(hours=24)
REPLAY_WINDOW = timedelta(minutes=5)
"""Receivers should refuse signatures older than this."""
KEPT_FOR = timedelta(days=30)
"""Deliveries that have ended are removed after so long."""
MAX_URL = 500
MOST_ENDPOINTS = 50
"""Each costs every fact one row."""
REPLAYED_AT_ONCE = 10_000

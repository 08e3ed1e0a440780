"""Limits of call tasks."""

from datetime import timedelta

MAX_ATTEMPTS = 2
RETRY_AFTER = timedelta(hours=2)
RETRY_UNCALLED_AFTER = timedelta(minutes=5)
"""A call that was never placed disturbed nobody, so the next try need not wait as long as after one that rang."""
PAUSED_RULE_LOOK = timedelta(seconds=30)
"""How often a call task of a paused rule looks whether the rule runs again."""
OWNER_FIRST_FOR = timedelta(minutes=15)
"""A personal callback waits so long for the agent who promised it; then anybody may keep the promise."""
AGEING_POINTS_PER_MINUTE = 1.0
"""How much a waiting call task's priority (0-100) grows, so that nothing waits for ever."""
WORTH_POINTS_A_HALVING = 30.0
"""So many points are gone each time half of what a call brings is."""
RAISED_POINTS = 300.0
"""A call task that a supervisor has put before others comes before whatever is ranked by what it is worth, which
moves nothing by more than 120 points either way."""
AGENT_GUARANTEED_FOR = timedelta(hours=72)
"""A customer who picked up and reached nobody is called only with an agent waiting for so long (the rule of
the United Kingdom's regulator for abandoned calls)."""
ASSIGNED_FOR = timedelta(minutes=60)
"""Call tasks a supervisor gives to an agent are left to them alone for so long; then anybody may have them."""
PRIORITY_STEP = 20
PREVIEW_LASTS = timedelta(minutes=10)
"""A preview older than this no longer tells what would happen."""
UNDO_WITHIN = timedelta(seconds=60)
DISPATCHES_SHOWN = 20
APPROVAL_WAITS = timedelta(minutes=15)
"""A call task that is to be handed over waits so long for the supervisor's word; a callback until its time."""
ANSWER_WAITS = timedelta(minutes=10)
"""A call task that was handed over waits so long for somebody to dial; then it goes back to whoever had it."""
GRACE_AFTER_TRANSFER = timedelta(minutes=30)
"""It lives at least so long after its transfer has run out."""

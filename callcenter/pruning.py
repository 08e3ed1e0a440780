"""What is of no use any more when it is old, and no evidence: removed portion by portion, as long as set.

A verb as in the pipeline, and beside it: it takes a session and `now`, and commits nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from callcenter import alerting
from callcenter.calltasks import dispatches
from callcenter.routing import forgetting as routing
from callcenter.triggers import banded

PORTION = 5_000
"""Rows of a table that one transaction removes."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long things are kept: agents' states, the floor's alerts and acts on many call tasks, visits of bands."""

    agent_states: timedelta
    floor: timedelta
    bands: timedelta


def prune(session: Session, keeping: Keeping, now: datetime) -> Mapping[str, int]:
    """Remove a portion of each; return how many rows of which table. More is left where one gave a whole portion.

    Kept all the same: of each agent the last state before, by which reports know how their days began; alerts that
    are open; acts on many call tasks that were not carried out; what rules in force are judged by.
    """
    return {
        "agent_state": routing.forget_states(session, now - keeping.agent_states, PORTION),
        "floor_alert": alerting.forget_alerts(session, now - keeping.floor, PORTION),
        "dispatch": dispatches.forget_done(session, now - keeping.floor, PORTION),
        "banded_visit": banded.forget_entries(session, now - keeping.bands, PORTION),
    }

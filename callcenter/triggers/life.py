"""The life of a rule's version: what may be done with it, and by whom. Facts in, answer out; no I/O, no clock.

draft > in review > canary > live > paused > retired; a version need not be a canary first. From the moment it
is sent for review a definition never changes; making it live is a second person's act. Pausing, stopping a
canary and rolling back need nobody's leave: they are for emergencies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson

from callcenter.domain.enums import RuleState

TRIAL_DAYS = (7, 14, 28)
"""How many days a version may be tried before somebody decides."""


class RuleAct(StrEnum):
    """What a person can do with a version of a rule."""

    EDIT = "edit"
    SUBMIT = "submit"
    PUBLISH = "publish"
    SEND_BACK = "send_back"
    DISCARD = "discard"
    PAUSE = "pause"
    RESUME = "resume"
    RETIRE = "retire"
    DRAFT = "draft"
    TRY = "try"
    STOP_TRIAL = "stop_trial"
    ROLL_BACK = "roll_back"


class WhyNot(StrEnum):
    """Why a person may not do it, or not now."""

    WRONG_STATE = "wrong_state"
    OWN_WORK = "own_work"
    NOT_AUTHOR = "not_author"
    OVERTAKEN = "overtaken"
    NOTHING_LIVE = "nothing_live"
    ON_TRIAL = "on_trial"
    NOTHING_BEFORE = "nothing_before"


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """What of a version decides what may be done with it.

    `is_overtaken` says that a newer version has been live since this one was begun, `has_live` that a version of
    the rule is live, `has_canary` that one is on trial, `has_before` that another was live before this one.
    """

    state: RuleState
    author_id: UUID | None
    submitter_id: UUID | None = None
    is_overtaken: bool = False
    has_live: bool = False
    has_canary: bool = False
    has_before: bool = False


_IN: Mapping[RuleAct, frozenset[RuleState]] = {
    RuleAct.EDIT: frozenset({RuleState.DRAFT}),
    RuleAct.SUBMIT: frozenset({RuleState.DRAFT}),
    RuleAct.PUBLISH: frozenset({RuleState.IN_REVIEW, RuleState.CANARY}),
    RuleAct.SEND_BACK: frozenset({RuleState.IN_REVIEW}),
    RuleAct.DISCARD: frozenset({RuleState.DRAFT}),
    RuleAct.PAUSE: frozenset({RuleState.LIVE}),
    RuleAct.RESUME: frozenset({RuleState.PAUSED}),
    RuleAct.RETIRE: frozenset({RuleState.LIVE, RuleState.PAUSED}),
    RuleAct.DRAFT: frozenset(RuleState),
    RuleAct.TRY: frozenset({RuleState.IN_REVIEW}),
    RuleAct.STOP_TRIAL: frozenset({RuleState.CANARY}),
    RuleAct.ROLL_BACK: frozenset({RuleState.LIVE, RuleState.PAUSED}),
}
_AUTHORS_OWN = frozenset({RuleAct.EDIT, RuleAct.DISCARD})
_STEPS_AHEAD = frozenset({RuleAct.SUBMIT, RuleAct.PUBLISH, RuleAct.TRY})
_NOT_ONES_OWN = frozenset({RuleAct.PUBLISH, RuleAct.TRY})


def why_not(act: RuleAct, version: VersionFacts, person_id: UUID) -> WhyNot | None:
    """Say why this person may not do this with a version; None when they may.

    A draft is its author's own: so the list of those who may not publish it is complete. Whoever wrote or
    submitted a version cannot publish it, nor try it on customers.
    """
    if version.state not in _IN[act]:
        return WhyNot.WRONG_STATE
    if act in _STEPS_AHEAD and version.is_overtaken:
        return WhyNot.OVERTAKEN
    if act in _AUTHORS_OWN and person_id != version.author_id:
        return WhyNot.NOT_AUTHOR
    if act is RuleAct.TRY and (not version.has_live or version.has_canary):
        return WhyNot.ON_TRIAL if version.has_canary else WhyNot.NOTHING_LIVE
    if act is RuleAct.ROLL_BACK and not version.has_before:
        return WhyNot.NOTHING_BEFORE
    if act in _NOT_ONES_OWN and person_id in (version.author_id, version.submitter_id):
        return WhyNot.OWN_WORK
    return None


def acts_open(version: VersionFacts, person_id: UUID) -> frozenset[RuleAct]:
    """Return everything this person may do with a version now."""
    return frozenset(act for act in RuleAct if why_not(act, version, person_id) is None)


def stamp_of(state: RuleState, definition: Mapping[str, Any], note: str) -> str:
    """Return a short mark that changes whenever a draft does: what a form was filled in from."""
    told = orjson.dumps([state.value, definition, note], option=orjson.OPT_SORT_KEYS)
    return sha256(told).hexdigest()[:16]

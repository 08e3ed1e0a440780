"""One call as its reviewer sees it: what telephone, events, script and agent say, and the questions asked."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import gettext
from sqlmodel import Session

from callcenter.domain.ports import RecordingState
from callcenter.errors import NotFound
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import ContactAttempt, Disposition, Review, User
from callcenter.outcomes.contradictions import contradictions_of
from callcenter.quality import queries
from callcenter.quality.rules import state_of, why_no_second
from callcenter.reporting.calls import Case, case_of_task
from callcenter.reporting.tags import tag_of
from callcenter.runtime import Runtime
from callcenter.web import words
from callcenter.web.call_view import timeline_of
from callcenter.web.edge import chosen, language, viewer
from callcenter.web.formats import label
from callcenter.web.pages import quality as page
from callcenter.web.pages.console import StepTaken
from callcenter.web.pages.studio import Choice
from callcenter.web.quality_view import question_rows, review_row
from callcenter.web.quality_words import EVIDENCE, agent_names, quality_part, tag_names, user_names
from callcenter.web.script_view import script_of

AROUND = timedelta(minutes=10)
"""What the customer did so long before and after the call is shown beside it."""


def call_review_page(
    runtime: Runtime,
    session: Session,
    attempt_id: UUID,
    asked: Mapping[str, str],
    now: datetime,
    error: str | None = None,
) -> page.CallReviewPage:
    """Return one call under review; `asked` is what the form holds, or why the call was proposed.

    Raises NotFound.
    """
    attempt = session.get(ContactAttempt, attempt_id)
    if attempt is None or attempt.agent_id is None:
        raise NotFound("There is no such attempt of an agent.")
    case = replace(case_of_task(session, attempt.call_task_id), attempt=attempt)
    reviews = queries.reviews_of_attempt(session, attempt_id)
    cards = queries.scorecards_in_use(session)
    card = next((one for one in cards if str(one.id) == asked.get("scorecard")), cards[0] if cards else None)
    typed = {name: value for name, value in asked.items() if name.startswith(("mark-", "remark-"))}
    marks = {name[5:]: value for name, value in typed.items() if name.startswith("mark-")}
    remarks = {name[7:]: value for name, value in typed.items() if name.startswith("remark-")}
    return page.CallReviewPage(
        part=quality_part("reviews"),
        attempt_id=str(attempt_id),
        facts=_facts(runtime, session, case, attempt, now),
        reviews=_shown(session, reviews),
        questions=question_rows(card, marks, remarks) if card else (),
        scorecard_id=str(card.id) if card else "",
        scorecard=chosen(card.title) if card else "",
        cards=tuple(
            Choice(chosen(one.title), f"/floor/quality/attempts/{attempt_id}?scorecard={one.id}", one is card)
            for one in cards
        ),
        pass_mark=card.pass_mark if card else 80,
        because=asked.get("because", "chosen"),
        comment=asked.get("comment", ""),
        why_not=_why_not(attempt, reviews, has_card=card is not None),
        error=error,
    )


def _why_not(attempt: ContactAttempt, reviews: Any, *, has_card: bool) -> str:
    """Why the viewer may write no review now; "" where they may."""
    if attempt.ended_at is None:
        return gettext("The call has not ended.")
    if not has_card:
        return gettext("No scorecard is in use. Make one first.")
    if not reviews:
        return ""
    first, last = reviews[0], reviews[-1]
    state = state_of(first.acknowledged_at, first.disputed_at, first.settled_at)
    why = why_no_second(state, last.reviewer_id, viewer().id, is_admin=viewer().role == "admin")
    return gettext(why) if why else ""


def _shown(session: Session, reviews: Any) -> tuple[page.ReviewShown, ...]:
    agents, people = agent_names(session), user_names(session)
    cards = queries.scorecards_of(session, reviews)
    return tuple(_one(one, cards[one.scorecard_id], agents, people) for one in reviews)


def _one(one: Review, card: Any, agents: Mapping[str, str], people: Mapping[str, str]) -> page.ReviewShown:
    title = gettext("%(title)s, version %(n)s", title=chosen(card.title), n=card.version)
    rows = question_rows(card, one.marks, one.remarks)
    return page.ReviewShown(review_row(one, card, agents, people), one.comment, rows, title)


def _facts(
    runtime: Runtime, session: Session, case: Case, attempt: ContactAttempt, now: datetime
) -> page.CallFacts:
    journey = journeys_loaded(session)[case.task.journey]
    tag = session.get(Disposition, attempt.id)
    tags, known = tag_names(session), tag_of(session, attempt.id)
    agent = session.get_one(User, attempt.agent_id)
    until = attempt.answered_at or attempt.ended_at
    recording, why_none = recording_of(attempt)
    said = tag.kind_code if tag else ""
    counts = (tag.counts_as or said) if tag else ""
    script, path = _script(runtime, session, case, journey, agent, tag.at if tag else now, now)
    near = (attempt.claimed_at - AROUND, (attempt.ended_at or now) + AROUND)
    return page.CallFacts(
        agent=agent.name,
        customer=case.customer.name or gettext("Unknown name"),
        masked_number=words.mask_number(attempt.to_number),
        step=words.step_words(journey, case.task.step, language()),
        rule=chosen(case.rule.definition.get("title"), case.rule.rule_key),
        called_at=attempt.claimed_at,
        rang_seconds=int((until - attempt.ringing_at).total_seconds())
        if attempt.ringing_at and until
        else None,
        talk_seconds=(attempt.talk_seconds or 0) if attempt.bridged_at else 0,
        result=label(attempt.result),
        tag=tags.get(counts, "") if tag else gettext("Not tagged"),
        said=tags.get(said, said) if counts != said else "",
        causes=tuple(label(one) for one in tag.causes) if tag else (),
        note=tag.note if tag else "",
        wrap_up_seconds=tag.wrap_up_seconds if tag else 0,
        speaks_against=tuple(str(EVIDENCE[one]) for one in contradictions_of(known, now)) if known else (),
        recording=recording,
        recording_seconds=attempt.recording_seconds,
        no_recording=why_none,
        script=script,
        path=path,
        events=tuple(one for one in timeline_of(case, journey) if near[0] <= one.at <= near[1]),
    )


def recording_of(attempt: ContactAttempt) -> tuple[str | None, str]:
    """Return where a call's recording is heard, or None and why there is none."""
    if attempt.bridged_at is None:
        return None, gettext("Nobody talked on this call, so there is no recording.")
    if not attempt.recording_ref:
        return None, gettext("This call was not recorded, or the carrier has not told of a recording.")
    if attempt.recording_state == RecordingState.READY:
        return f"/floor/quality/attempts/{attempt.id}/recording", ""
    if attempt.recording_state == RecordingState.ABSENT:
        return None, gettext("The carrier kept nothing of this call.")
    return None, gettext("The carrier is still preparing the recording. Reload in a minute.")


def _script(
    runtime: Runtime, session: Session, case: Case, journey: Any, agent: User, until: datetime, now: datetime
) -> tuple[str, tuple[StepTaken, ...]]:
    """Return the script of the call and the way the agent went through it on this attempt."""
    found = script_of(runtime, session, case, journey, agent, now)
    if found is None:
        return case.task.script_id or "", ()
    assert case.attempt is not None
    since = case.attempt.claimed_at - AROUND
    path = tuple(one for one in found.path if since <= one.at <= until)
    title = gettext("%(title)s, version %(n)s", title=found.label, n=found.version)
    return title, path

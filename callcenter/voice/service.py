"""Keep suggestions with the wishes they rest on, whether customers are asked, who was, and what they answered."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from callcenter.domain.enums import SuggestionState
from callcenter.domain.ids import derived_id
from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.models import ProductSuggestion, Suggestion, SuggestionLink, SurveyInvite, SurveySetting
from callcenter.voice import policy
from callcenter.voice.queries import ToAsk

# -- suggestions --------------------------------------------------------------------------------------------


def make_suggestion(session: Session, title: str, user_id: UUID, now: datetime) -> Suggestion:
    """Begin a suggestion. Raises BadInput without a title."""
    row = Suggestion(
        id=derived_id("suggestion", user_id, title.strip(), now.isoformat()),
        title=_title(title),
        created_at=now,
        created_by=user_id,
        changed_at=now,
    )
    session.add(row)
    session.flush()
    return row


def _title(title: str) -> str:
    title = " ".join(title.split())
    if not title or len(title) > policy.MOST_TITLE:
        raise BadInput("Give the suggestion a title of at most 120 letters.", {"title": ["needed"]})
    return title


def lock_suggestion(session: Session, suggestion_id: UUID) -> Suggestion:
    """Return a suggestion, locked until the commit. Raises NotFound, and Conflict for one that was merged."""
    row = session.exec(
        select(Suggestion)
        .where(Suggestion.id == suggestion_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise NotFound("There is no such suggestion. Load the page again.")
    if row.merged_into_id is not None:
        raise Conflict("This suggestion was merged into another. Load the page again.")
    return row


def change_suggestion(
    row: Suggestion, title: str, state: SuggestionState, owner_id: UUID | None, reason: str, now: datetime
) -> bool:
    """Write a locked suggestion anew; False when nothing is different. Raises BadInput.

    One that is declined needs a word why; for any other state none is kept.
    """
    reason = reason.strip()[: policy.MOST_REASON]
    if state is SuggestionState.DECLINED and not reason:
        raise BadInput("Say in a word why it is declined.", {"reason": ["needed"]})
    wanted = (_title(title), state, owner_id, reason if state is SuggestionState.DECLINED else "")
    if wanted == (row.title, row.state, row.owner_id, row.reason):
        return False
    row.title, row.state, row.owner_id, row.reason = wanted
    row.changed_at = now
    return True


def link_wishes(
    session: Session, suggestion_id: UUID, attempt_ids: Collection[UUID], user_id: UUID, now: datetime
) -> int:
    """Let wishes belong to a locked suggestion, wherever they belonged before; return how many changed.

    Raises BadInput when one is none, or there are none.
    """
    wanted = set(attempt_ids)
    if not wanted or len(wanted) > policy.MOST_LINKED:
        raise BadInput("Choose the wishes first, at most 200 at once.")
    known = set(
        session.exec(
            select(ProductSuggestion.attempt_id).where(col(ProductSuggestion.attempt_id).in_(wanted))
        )
    )
    if known != wanted:
        raise BadInput("One of these wishes is not there any more. Load the page again.")
    rows = [
        {"attempt_id": one, "suggestion_id": suggestion_id, "linked_at": now, "linked_by": user_id}
        for one in sorted(wanted)
    ]
    statement = insert(SuggestionLink).values(rows)
    told = statement.on_conflict_do_update(
        index_elements=["attempt_id"],
        set_={name: statement.excluded[name] for name in ("suggestion_id", "linked_at", "linked_by")},
        where=col(SuggestionLink.suggestion_id) != suggestion_id,
    ).returning(col(SuggestionLink.attempt_id))
    return len(session.execute(told).all())


def unlink_wish(session: Session, suggestion_id: UUID, attempt_id: UUID) -> bool:
    """Let a wish belong to no suggestion; False when it was not this one's."""
    done = session.execute(
        delete(SuggestionLink)
        .where(col(SuggestionLink.attempt_id) == attempt_id)
        .where(col(SuggestionLink.suggestion_id) == suggestion_id)
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


def merge(session: Session, row: Suggestion, into: Suggestion, now: datetime) -> int:
    """Merge a locked suggestion into another locked one: its wishes move; return how many."""
    if row.id == into.id:
        raise BadInput("Choose another suggestion to merge this one into.")
    done = session.execute(
        update(SuggestionLink)
        .where(col(SuggestionLink.suggestion_id) == row.id)
        .values(suggestion_id=into.id)
    )
    row.merged_into_id, row.changed_at, into.changed_at = into.id, now, now
    session.flush()
    return int(done.rowcount)  # type: ignore[attr-defined]


# -- surveys ------------------------------------------------------------------------------------------------


def set_survey(
    session: Session, journey: str, rule_key: str, is_on: bool | None, user_id: UUID, now: datetime
) -> bool:
    """Say whether customers of a campaign, or of one of its rules, are asked; None: a rule does as its campaign.

    False when it was so.
    """
    row = session.get(SurveySetting, (journey, rule_key), with_for_update=True, populate_existing=True)
    if is_on is None:
        if row is None:
            return False
        session.delete(row)
        session.flush()
        return True
    if row is not None and row.is_on == is_on:
        return False
    if row is None:
        row = SurveySetting(
            journey=journey, rule_key=rule_key, is_on=is_on, changed_at=now, changed_by=user_id
        )
        session.add(row)
    row.is_on, row.changed_at, row.changed_by = is_on, now, user_id
    session.flush()
    return True


def keep_invites(session: Session, asked: Sequence[tuple[ToAsk, str | None]], now: datetime) -> int:
    """Keep whom a survey is to reach, and whom not and why; once for each call. Return how many are new."""
    if not asked:
        return 0
    rows = [
        {
            "id": derived_id("survey", one.attempt_id),
            "attempt_id": one.attempt_id,
            "call_task_id": one.call_task_id,
            "customer_id": one.customer_id,
            "journey": one.journey,
            "step": one.step,
            "rule_key": one.rule_key,
            "language": one.language,
            "created_at": now,
            "expires_at": now + policy.LINK_WORKS_FOR,
            "withheld": withheld,
            "answer": "",
        }
        for one, withheld in asked
    ]
    statement = insert(SurveyInvite).values(rows).on_conflict_do_nothing().returning(col(SurveyInvite.id))
    return len(session.execute(statement).all())


def keep_answer(session: Session, survey_id: UUID, score: int, answer: str, now: datetime) -> bool:
    """Keep the one answer of a survey that is open; False when it has one already or asks nobody any more."""
    done = session.execute(
        update(SurveyInvite)
        .where(col(SurveyInvite.id) == survey_id)
        .where(col(SurveyInvite.answered_at).is_(None))
        .where(col(SurveyInvite.withheld).is_(None))
        .where(col(SurveyInvite.expires_at) > now)
        .values(answered_at=now, score=score, answer=answer)
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]

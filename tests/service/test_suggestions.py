"""Wishes taken down on calls become suggestions with what they rest on; every act is in the audit trail."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import col, select

from callcenter import listening
from callcenter.domain.enums import Cause, Role, SuggestionState
from callcenter.domain.ids import derived_id
from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.models import AuditEntry, Suggestion, SuggestionLink, User
from callcenter.voice.causes import (
    causes_by_step,
    evidence_of_suggestions,
    notes_of_step,
    notes_per_step,
    suggestions_open,
    wishes_of,
    wishes_unlinked,
)
from tests.factories import Bank
from tests.flow.asked import calls_again, speaks_with

WISH = "Let me upload the photo from the gallery"


def _strategist(bank: Bank) -> UUID:
    user_id = derived_id("user", "yan")
    row = User(
        id=user_id,
        login="yan",
        name="G. Yan",
        role=Role.STRATEGIST,
        password_hash="-",
        created_at=bank.clock.now,
    )
    bank.session.add(row)
    bank.session.commit()
    return user_id


def _again(bank: Bank, wish: str) -> UUID:
    """Let the same customer wish something on a further call."""
    bank.clock.go_on(days=8)
    calls_again(bank, wish)
    return bank.attempts()[-1].id


def _made(bank: Bank, *attempts: UUID, title: str = "Gallery upload") -> Suggestion:
    row = listening.make_suggestion(bank.session, title, attempts, bank.agent_id, bank.clock.go_on(seconds=1))
    bank.session.commit()
    return row


def _change(bank: Bank, row: Suggestion, state: str, owner: UUID | None = None, reason: str = "") -> None:
    listening.change_suggestion(
        bank.session,
        row.id,
        bank.agent_id,
        bank.clock.go_on(seconds=1),
        title=row.title,
        state=state,
        owner_id=owner,
        reason=reason,
    )
    bank.session.commit()


def test_a_suggestion_rests_on_wishes_people_notes_errors_and_firings(bank: Bank) -> None:
    first = speaks_with(bank, note="photo refused twice", suggestion=WISH)
    second = _again(bank, "从相册上传照片")
    assert [one.attempt_id for one in wishes_unlinked(bank.session, 10)] == [second, first]
    row = _made(bank, first, second)
    evidence = evidence_of_suggestions(bank.session, bank.clock.now, 28)[row.id]
    assert (evidence.wishes, evidence.people, evidence.notes, evidence.errors) == (2, 1, 1, 2)
    assert evidence.places == (("loan", "id_photo"),)
    assert (evidence.firings, evidence.step_errors) == (len(bank.firings()), 2)
    assert evidence_of_suggestions(bank.session, bank.clock.now + timedelta(days=60), 28)[row.id].firings == 0
    assert wishes_unlinked(bank.session, 10) == []
    assert {one.text for one in wishes_of(bank.session, [row.id])} == {WISH, "从相册上传照片"}


def test_wishes_move_suggestions_merge_and_the_trail_tells_it(bank: Bank) -> None:
    first, second = speaks_with(bank, suggestion=WISH), _again(bank, "Show the interest first")
    one, other = _made(bank, first), _made(bank, second, title="Interest first")
    assert listening.link_wishes(bank.session, one.id, [first, second], bank.agent_id, bank.clock.now) == 1
    listening.unlink_wish(bank.session, one.id, second, bank.agent_id, bank.clock.now)
    listening.unlink_wish(bank.session, one.id, second, bank.agent_id, bank.clock.now)
    listening.link_wishes(bank.session, other.id, [second], bank.agent_id, bank.clock.now)
    listening.merge_suggestions(bank.session, other.id, one.id, bank.agent_id, bank.clock.now)
    bank.session.commit()
    links = bank.session.exec(select(SuggestionLink.suggestion_id)).all()
    assert links == [one.id, one.id]
    assert [row.id for row, _ in suggestions_open(bank.session)] == [one.id]
    with pytest.raises(Conflict):
        listening.link_wishes(bank.session, other.id, [first], bank.agent_id, bank.clock.now)
    acts = bank.session.exec(select(AuditEntry.act).order_by(col(AuditEntry.id))).all()
    assert [act for act in acts if act.startswith("suggestion")] == [
        "suggestion.made",
        "suggestion.made",
        "suggestion.linked",
        "suggestion.unlinked",
        "suggestion.linked",
        "suggestion.merged",
    ]


def test_state_and_owner_are_kept_and_a_refusal_needs_a_word(bank: Bank) -> None:
    owner = _strategist(bank)
    row = _made(bank, speaks_with(bank, suggestion=WISH))
    _change(bank, row, "planned", owner)
    assert [(one.state, name) for one, name in suggestions_open(bank.session, SuggestionState.PLANNED)] == [
        ("planned", "G. Yan")
    ]
    with pytest.raises(BadInput, match="why"):
        _change(bank, row, "declined", owner, "  ")
    _change(bank, row, "declined", owner, "The law wants a fresh photo")
    assert row.reason == "The law wants a fresh photo"
    _change(bank, row, "considered", None, "no longer so")
    assert (row.state, row.owner_id, row.reason) == ("considered", None, "")


def test_what_cannot_be_is_refused(bank: Bank) -> None:
    row = _made(bank, speaks_with(bank, suggestion=WISH))
    now, by = bank.clock.now, bank.agent_id
    for wrong in (
        lambda: listening.make_suggestion(bank.session, " ", [], by, now),
        lambda: listening.make_suggestion(bank.session, "x" * 121, [], by, now),
        lambda: listening.make_suggestion(bank.session, "No wishes", [], by, now),
        lambda: listening.link_wishes(bank.session, row.id, [row.id], by, now),
        lambda: listening.merge_suggestions(bank.session, row.id, row.id, by, now),
        lambda: _change(bank, row, "wonderful"),
        lambda: _change(bank, row, "new", bank.agent_id),
    ):
        with pytest.raises(BadInput), bank.session.begin_nested():
            wrong()
    with pytest.raises(NotFound):
        listening.link_wishes(bank.session, by, [row.id], by, now)


def test_causes_are_counted_by_step_with_their_base_and_laid_beside_earlier_windows(bank: Bank) -> None:
    speaks_with(bank, causes=(Cause.TECHNICAL, Cause.TRUST), note="glare")
    now = bank.clock.go_on(days=9)
    week = timedelta(days=7)
    _again(bank, "")
    until = bank.clock.go_on(seconds=1)
    found = causes_by_step(bank.session, "loan", until - week, until, 4)["id_photo"]
    assert (found.reached, found.told, found.earlier_reached) == (1, 0, 1)
    assert (found.share(Cause.TECHNICAL), found.change(Cause.TECHNICAL)) == (0.0, -100.0)
    before = causes_by_step(bank.session, "loan", now - 2 * week, now, 4)["id_photo"]
    assert (before.reached, before.told, before.causes[Cause.TRUST]) == (1, 1, 1)
    assert before.change(Cause.TRUST) is None, "nothing is known of earlier windows"
    assert notes_per_step(bank.session, "loan", now - 2 * week, now) == {"id_photo": 1}
    wanted = (bank.session, "loan", "id_photo", now - 2 * week, now, 10)
    assert [one.text for one in notes_of_step(*wanted)] == ["glare"]
    assert notes_of_step(*wanted, cause=Cause.PRICE) == []

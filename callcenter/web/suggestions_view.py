"""Suggestions in the viewer's words: with what they rest on, the wishes that wait, and what looks like one."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from flask_babel import gettext
from sqlmodel import Session

from callcenter import listening
from callcenter.domain.enums import SuggestionState
from callcenter.domain.journey import JourneyDefinition
from callcenter.errors import NotFound
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import Suggestion
from callcenter.voice.causes import (
    Evidence,
    Wish,
    evidence_of_suggestions,
    suggestions_open,
    wishes_of,
    wishes_unlinked,
)
from callcenter.voice.likeness import alike, without_names
from callcenter.voice.policy import EVIDENCE_DAYS, LIKE_ENOUGH
from callcenter.web.edge import frame, language, zone
from callcenter.web.formats import label
from callcenter.web.pages import voice as page
from callcenter.web.pages.studio import Choice
from callcenter.web.voice_view import as_csv, tabs
from callcenter.web.words import step_words

PATH = "/studio/voice/suggestions"
SHOWN_WISHES = 100
SHOWN_ALIKE = 3
Journeys = Mapping[str, JourneyDefinition]


def suggestions_page(
    session: Session,
    now: datetime,
    state: str | None = None,
    chosen_id: UUID | None = None,
    *,
    typed: Mapping[str, str] | None = None,
    ticked: Collection[str] = (),
    error: str | None = None,
) -> page.SuggestionsPage:
    """Return the suggestions, of one state if asked, one of them chosen, and the wishes that wait.

    `typed`, `ticked` and `error` are what was sent and why it was not taken: nothing typed is lost.
    Raises NotFound for a chosen one there is not.
    """
    wanted = SuggestionState(state) if state in set(SuggestionState) else None
    journeys = journeys_loaded(session)
    found = suggestions_open(session)
    evidence = evidence_of_suggestions(session, now, EVIDENCE_DAYS)
    every = [_row(row, owner, evidence.get(row.id, Evidence()), journeys, chosen_id) for row, owner in found]
    texts = _texts(session, found)
    return page.SuggestionsPage(
        frame=frame("voice"),
        tabs=tabs("suggestions"),
        states=tuple(_states(wanted)),
        days=EVIDENCE_DAYS,
        rows=tuple(one for one in every if wanted is None or one.state == wanted.value),
        wishes=tuple(_wishes(session, journeys, texts, found)),
        chosen=_chosen(session, journeys, every, texts, chosen_id, typed, error) if chosen_id else None,
        owners=tuple((str(one.id), one.name) for one in listening.owners(session)),
        others=tuple((one.id, one.title) for one in every if one.id != str(chosen_id)),
        all_states=tuple(one.value for one in SuggestionState),
        title=(typed or {}).get("title", "") if chosen_id is None else "",
        ticked=frozenset(ticked),
        error=error if chosen_id is None else None,
    )


def _states(wanted: SuggestionState | None) -> Iterator[Choice]:
    yield Choice(gettext("All"), PATH, wanted is None)
    for one in SuggestionState:
        yield Choice(label(one.value), f"{PATH}?{urlencode({'state': one.value})}", one is wanted)


def _row(
    row: Suggestion, owner: str | None, rests_on: Evidence, journeys: Journeys, chosen_id: UUID | None
) -> page.SuggestionRow:
    return page.SuggestionRow(
        id=str(row.id),
        title=row.title,
        href=f"{PATH}/{row.id}",
        state=str(row.state),
        owner=owner,
        wishes=rests_on.wishes,
        people=rests_on.people,
        notes=rests_on.notes,
        errors=rests_on.errors,
        firings=rests_on.firings,
        step_errors=rests_on.step_errors,
        places=tuple(_place(journeys, *one) for one in rests_on.places),
        last_at=rests_on.last_at,
        reason=row.reason,
        is_chosen=row.id == chosen_id,
    )


def _place(journeys: Journeys, journey: str, step: str) -> str:
    known = journeys.get(journey)
    return step_words(known, step, language()) if known and step in known.order else step


def _texts(session: Session, found: Sequence[tuple[Suggestion, str | None]]) -> dict[UUID, tuple[str, ...]]:
    """What each suggestion is compared by: its title and its wishes, which may be in either language."""
    texts: dict[UUID, list[str]] = {row.id: [row.title] for row, _ in found}
    for wish in wishes_of(session, list(texts)):
        if wish.suggestion_id in texts:
            texts[wish.suggestion_id].append(wish.text)
    return {key: tuple(one) for key, one in texts.items()}


def _wishes(
    session: Session,
    journeys: Journeys,
    texts: Mapping[UUID, tuple[str, ...]],
    found: Sequence[tuple[Suggestion, str | None]],
) -> Iterator[page.WishRow]:
    titles = {row.id: row.title for row, _ in found}
    for wish in wishes_unlinked(session, SHOWN_WISHES):
        like = next((key for key, _ in alike(wish.text, texts, LIKE_ENOUGH)), None)
        yield _wish(journeys, wish, titles.get(like) if like else None, like)


def _wish(
    journeys: Journeys, wish: Wish, like: str | None = None, like_id: UUID | None = None
) -> page.WishRow:
    return page.WishRow(
        id=str(wish.attempt_id),
        text=without_names(wish.text, wish.name),
        place=_place(journeys, wish.journey, wish.step),
        at=wish.at,
        note=without_names(wish.note, wish.name) if wish.note else None,
        causes=tuple(wish.causes or ()),
        like=like,
        like_id=str(like_id) if like_id else None,
    )


def _chosen(
    session: Session,
    journeys: Journeys,
    every: Sequence[page.SuggestionRow],
    texts: Mapping[UUID, tuple[str, ...]],
    chosen_id: UUID,
    typed: Mapping[str, str] | None,
    error: str | None,
) -> page.ChosenSuggestion:
    row = next((one for one in every if one.id == str(chosen_id)), None)
    if row is None:
        raise NotFound("There is no such suggestion. Load the page again.")
    kept = session.get_one(Suggestion, chosen_id)
    values = {
        "title": row.title,
        "state": row.state,
        "owner": str(kept.owner_id or ""),
        "reason": row.reason,
    } | dict(typed or {})
    others = {key: one for key, one in texts.items() if key != chosen_id}
    like: dict[UUID, float] = {}
    for text in texts[chosen_id]:
        for key, share in alike(text, others, LIKE_ENOUGH):
            like[key] = max(share, like.get(key, 0.0))
    likest = sorted(like, key=lambda key: -like[key])[:SHOWN_ALIKE]
    return page.ChosenSuggestion(
        row,
        values,
        tuple(_wish(journeys, one) for one in wishes_of(session, [chosen_id])),
        tuple(Choice(texts[key][0], f"{PATH}/{key}") for key in likest),
        error,
    )


def suggestions_csv(shown: page.SuggestionsPage) -> bytes:
    """Return the suggestions with what they rest on, as the product team gets them."""
    head = [
        gettext("Suggestion"),
        gettext("State"),
        gettext("Owner"),
        gettext("Steps"),
        gettext("Calls"),
        gettext("Customers"),
        gettext("Calls with a note"),
        gettext("Errors they met"),
        gettext("Rules fired on the steps, %(n)s days", n=shown.days),
        gettext("Errors on the steps, %(n)s days", n=shown.days),
        gettext("Last heard"),
        gettext("Why declined"),
    ]
    rows = [
        [
            one.title,
            label(one.state),
            one.owner or "",
            "; ".join(one.places),
            one.wishes,
            one.people,
            one.notes,
            one.errors,
            one.firings,
            one.step_errors,
            one.last_at.astimezone(zone()).date().isoformat() if one.last_at else "",
            one.reason,
        ]
        for one in shown.rows
    ]
    return as_csv([head, *rows])

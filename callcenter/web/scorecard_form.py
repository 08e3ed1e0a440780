"""The form of a scorecard: questions in rows, in both languages; a changed one becomes a new version."""

import re
from collections.abc import Mapping

from flask_babel import gettext
from sqlmodel import Session, select

from callcenter.domain.ids import derived_id
from callcenter.errors import BadInput, NotFound
from callcenter.models import Scorecard
from callcenter.quality import queries
from callcenter.quality.policy import STARTING_CARD
from callcenter.quality.rules import MOST_QUESTIONS, NewScorecard, Question, question_of
from callcenter.web.edge import chosen, uuid_field
from callcenter.web.pages import quality as page
from callcenter.web.quality_words import quality_part, user_names

SPARE_ROWS = 3
_FIELDS = ("id", "section_en", "section_zh", "text_en", "text_zh", "weight", "critical")
_TEXTS = ("section_en", "section_zh", "text_en", "text_zh")


def scorecards_page(session: Session) -> page.ScorecardsPage:
    """Return the scorecards and all their versions."""
    people = user_names(session)
    rows = tuple(
        page.CardRow(
            id=str(one.id),
            title=chosen(one.title, one.key),
            version=one.version,
            questions=len(one.questions),
            critical=sum(bool(row["is_critical"]) for row in one.questions),
            pass_mark=one.pass_mark,
            made_at=one.made_at,
            by=people.get(str(one.made_by), gettext("With the product")),
            is_in_use=one.ended_at is None,
            edit_href=f"/floor/quality/scorecards/new?like={one.id}",
        )
        for one in queries.scorecards_all(session)
    )
    return page.ScorecardsPage(quality_part("scorecards"), rows)


def form_page(session: Session, like: str | None) -> page.CardFormPage:
    """Return the form: filled as a version `like` which a new one is made, else with the usual questions."""
    if like:
        found = session.get(Scorecard, uuid_field(like))
        if found is None:
            raise NotFound("There is no such scorecard.")
        questions = tuple(map(question_of, found.questions))
        card = NewScorecard(found.key, found.title, questions, found.pass_mark)
    else:
        key = STARTING_CARD.key
        taken = set(session.exec(select(Scorecard.key)))
        while key in taken:
            key = _next_key(key)
        card = NewScorecard(key, STARTING_CARD.title, STARTING_CARD.questions, STARTING_CARD.pass_mark)
    return _page(card, is_new=not like)


def _next_key(key: str) -> str:
    stem, _, number = key.rpartition("-")
    return f"{stem}-{int(number) + 1}" if number.isdigit() else f"{key}-2"


def _page(card: NewScorecard, *, is_new: bool) -> page.CardFormPage:
    rows = [_row(one) for one in card.questions]
    return page.CardFormPage(
        part=quality_part("scorecards"),
        key=card.key,
        title_en=card.title.get("en", ""),
        title_zh=card.title.get("zh", ""),
        pass_mark=str(card.pass_mark),
        rows=(*rows, *_spare(len(rows))),
        is_new=is_new,
    )


def _spare(used: int) -> list[Mapping[str, str]]:
    return [dict.fromkeys(_FIELDS, "") for _ in range(min(SPARE_ROWS, max(0, MOST_QUESTIONS - used)))]


def _row(one: Question) -> Mapping[str, str]:
    return {
        "id": one.id,
        "section_en": one.section.get("en", ""),
        "section_zh": one.section.get("zh", ""),
        "text_en": one.text.get("en", ""),
        "text_zh": one.text.get("zh", ""),
        "weight": str(one.weight),
        "critical": "1" if one.is_critical else "",
    }


def typed_rows(form: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the rows of the form as they were typed."""
    places = sorted({int(found[1]) for name in form if (found := re.fullmatch(r"text_en-(\d{1,2})", name))})
    return [
        {field: form.get(f"{field}-{place}", "").replace("\x00", "").strip() for field in _FIELDS}
        for place in places
    ]


def refused_page(form: Mapping[str, str], error: str | None) -> page.CardFormPage:
    """Return the form as it was typed, with what is wrong, or with more rows."""
    rows = [one for one in typed_rows(form) if any(one[name] for name in _TEXTS)]
    return page.CardFormPage(
        part=quality_part("scorecards"),
        key=form.get("key", ""),
        title_en=form.get("title_en", ""),
        title_zh=form.get("title_zh", ""),
        pass_mark=form.get("pass_mark", ""),
        rows=(*rows, *_spare(len(rows))),
        is_new=form.get("is_new") == "1",
        error=error,
    )


def read_scorecard(form: Mapping[str, str]) -> NewScorecard:
    """Read the form; a row without a text is left out. Raises BadInput that says what to do."""
    key = form.get("key", "")
    if not re.fullmatch(r"[a-z0-9-]{1,60}", key):
        raise BadInput(gettext("Reload the page and begin again."))
    questions, names = [], set[str]()
    for place, row in enumerate(typed_rows(form), 1):
        texts = {name: row[f"text_{name}"] for name in ("en", "zh") if row[f"text_{name}"]}
        if not texts:
            continue
        name = row["id"] if re.fullmatch(r"[a-z0-9-]{1,40}", row["id"]) else _id_of(key, place, texts)
        if name in names:
            name = _id_of(key, place, texts)
        names.add(name)
        sections = {name: row[f"section_{name}"] for name in ("en", "zh") if row[f"section_{name}"]}
        questions.append(Question(name, sections, texts, _whole(row["weight"]), row["critical"] == "1"))
    title = {name: form.get(f"title_{name}", "").strip()[:80] for name in ("en", "zh")}
    title = {name: text for name, text in title.items() if text}
    return NewScorecard(key, title, tuple(questions), _whole(form.get("pass_mark", "")))


def _id_of(key: str, place: int, texts: Mapping[str, str]) -> str:
    """A name of its own for a new question, the same for the same words in the same place."""
    return f"q-{derived_id('question', key, place, *texts.values()).hex[:12]}"


def _whole(raw: str) -> int:
    """A whole number as typed; 0, which is out of bounds everywhere, for anything else."""
    text = raw.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0

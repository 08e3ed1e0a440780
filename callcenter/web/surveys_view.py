"""Surveys in the viewer's words: who asks, who answered, what it says with its interval, what was written."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from flask_babel import gettext
from sqlmodel import Session

from callcenter.domain.journey import JourneyDefinition
from callcenter.domain.partners import WebhookKind
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import SurveySetting
from callcenter.triggers.queries import RuleSet, current_rules
from callcenter.voice import queries
from callcenter.voice.likeness import without_names
from callcenter.voice.policy import SHOWN_NOTES
from callcenter.voice.queries import SurveyCounts
from callcenter.voice.rules import group_of
from callcenter.web.edge import chosen, frame, language
from callcenter.web.formats import label
from callcenter.web.pages import voice as page
from callcenter.web.voice_view import as_csv, days_of, since_of, tabs, windows
from callcenter.web.words import step_words
from callcenter.webhooks.queries import endpoints

PATH = "/studio/voice/surveys"
TREND_WEEKS = 12
OWN_JOURNEY = "feedback"
Counts = Mapping[tuple[str, str], SurveyCounts]


def surveys_page(session: Session, raw_days: str | None, now: datetime) -> page.SurveysPage:
    """Return what surveys of the last days say, by campaign and rule, and what was written."""
    days = days_of(raw_days)
    since = since_of(days, now)
    until = now + timedelta(microseconds=1)
    journeys = journeys_loaded(session)
    rules = current_rules(session, journeys)
    settings = queries.settings_of_surveys(session)
    counts = queries.survey_counts(session, since, until)
    weeks = queries.surveys_by_week(session, now - timedelta(weeks=TREND_WEEKS), until)
    heard = [one for one in endpoints(session) if one.is_enabled]
    return page.SurveysPage(
        frame=frame("voice"),
        tabs=tabs("surveys"),
        windows=windows(PATH, {}, days),
        window_days=days,
        total=_counted("", "", gettext("All"), "", queries.total_counts(counts), does_ask=False),
        rows=tuple(_rows(journeys, rules, settings, counts)),
        answers=tuple(_answers(session, journeys, since, until)),
        trend=tuple(one.groups.score for _, one in weeks if one.groups.score is not None),
        hears=any(WebhookKind.SURVEY_INVITED.value in one.kinds for one in heard),
    )


def _rows(
    journeys: Mapping[str, JourneyDefinition],
    rules: RuleSet,
    settings: Mapping[tuple[str, str], SurveySetting],
    counts: Counts,
) -> Iterator[page.SurveyRow]:
    """A campaign with what all of it says, and under it its rules; those that are gone where some were asked."""
    for journey in journeys.values():
        if journey.id == OWN_JOURNEY:
            continue
        mine = {key: one for key, one in counts.items() if key[0] == journey.id}
        own = settings.get((journey.id, ""))
        asks = own is not None and own.is_on
        title = chosen(journey.title, journey.id)
        total = queries.total_counts(mine)
        yield _counted(journey.id, "", title, "on" if asks else "off", total, does_ask=asks)
        here = [one.spec for one in rules.all_current() if one.spec.journey == journey.id]
        gone = sorted({key for _, key in mine} - {one.key for one in here})
        names = {one.key: chosen(one.title, one.key) for one in here} | {one: one for one in gone}
        for key, name in names.items():
            setting = settings.get((journey.id, key))
            said = "as_campaign" if setting is None else "on" if setting.is_on else "off"
            does_ask = asks if setting is None else setting.is_on
            found = mine.get((journey.id, key), SurveyCounts())
            yield _counted(journey.id, key, name, "" if key in gone else said, found, does_ask=does_ask)


def _counted(
    journey: str, rule: str, name: str, asks: str, counts: SurveyCounts, *, does_ask: bool
) -> page.SurveyRow:
    groups, interval = counts.groups, counts.groups.interval
    return page.SurveyRow(
        journey=journey,
        rule=rule,
        label=name,
        asks=asks,
        does_ask=does_ask,
        invited=counts.invited,
        withheld=counts.withheld,
        answered=counts.answered,
        rate=counts.response_rate,
        promoters=groups.promoters,
        passives=groups.passives,
        detractors=groups.detractors,
        score=groups.score,
        low=interval[0] if interval else None,
        high=interval[1] if interval else None,
    )


def _answers(
    session: Session, journeys: Mapping[str, JourneyDefinition], since: datetime, until: datetime
) -> Iterator[page.AnswerRow]:
    for one in queries.survey_answers(session, since, until, SHOWN_NOTES):
        journey = journeys.get(one.journey)
        about = (
            step_words(journey, one.step, language()) if journey and one.step in journey.order else one.step
        )
        text = without_names(one.text, one.name)
        yield page.AnswerRow(one.at, one.score, group_of(one.score).value, text, about)


def surveys_csv(shown: page.SurveysPage) -> bytes:
    """Return what surveys say by campaign and rule, with what each figure is of."""
    head = [
        gettext("Campaign or rule"),
        gettext("Invited"),
        gettext("Not invited, barred"),
        gettext("Answers"),
        label("promoter"),
        label("passive"),
        label("detractor"),
        gettext("Net promoter score"),
        gettext("95 % interval, from"),
        gettext("95 % interval, to"),
    ]
    rows = [
        [
            one.label if one.is_campaign else f"- {one.label}",
            one.invited,
            one.withheld,
            one.answered,
            one.promoters,
            one.passives,
            one.detractors,
            *(None if figure is None else round(figure, 1) for figure in (one.score, one.low, one.high)),
        ]
        for one in (*shown.rows, shown.total)
    ]
    return as_csv([head, *rows])

"""A surge of a step in words: what rose, against what is usual, and who they are."""

from collections.abc import Mapping
from urllib.parse import urlencode

from flask_babel import gettext

from callcenter.domain.journey import JourneyDefinition
from callcenter.domain.surges import SurgeKind
from callcenter.reporting.surges import SurgeNow
from callcenter.web.analyses_words import SPLITS
from callcenter.web.counts import ngettext
from callcenter.web.edge import language
from callcenter.web.formats import number, of_base, percent
from callcenter.web.words import step_words


def surge_title(one: SurgeNow, journeys: Mapping[str, JourneyDefinition]) -> str:
    """What has risen, where."""
    step = step_words(journeys.get(one.journey), one.step, language())
    if one.kind is SurgeKind.LOSS:
        return gettext("Loss at %(step)s has risen", step=step)
    return gettext("Many more than usual come to %(step)s", step=step)


def surge_text(one: SurgeNow) -> str:
    """How far it is from what is usual in the same hour of earlier weeks, and who they are."""
    if one.kind is SurgeKind.LOSS:
        said = gettext(
            "%(share)s stopped in the last hour (%(of)s); usual in this hour is %(usual)s.",
            share=percent(one.count / one.of),
            of=of_base(one.count, one.of),
            usual=percent(one.usual),
        )
    else:
        said = ngettext(
            "%(num)s person in the last hour; usual in this hour are %(usual)s.",
            "%(num)s people in the last hour; usual in this hour are %(usual)s.",
            one.count,
            usual=number(one.usual),
        )
    return " ".join([said, *_who(one)])


def _who(one: SurgeNow) -> list[str]:
    """Of each property the value most of them have, where it tells something."""
    told = []
    for each in one.profile:
        share = each["count"] / each["of"] if each["of"] else 0
        told.append(
            gettext(
                "Most by %(property)s: %(value)s, %(share)s of %(of)s.",
                property=str(SPLITS.get(each["property"], each["property"])),
                value=each["value"],
                share=percent(share, 0),
                of=number(each["of"]),
            )
        )
    return told


def surge_href(one: SurgeNow) -> str:
    """The analysis that tells more: today's funnel by device, with earlier weeks beside."""
    asked = {"model": "funnel", "journey": one.journey, "days": "1", "split": "device"}
    return "/studio/analyses?" + urlencode(asked)

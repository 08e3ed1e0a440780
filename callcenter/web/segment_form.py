"""Between a segment's definition and the form it is edited in; every row has one field of each kind."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from callcenter.domain.enums import SegmentForm, SurveyGroup
from callcenter.domain.fields import FieldType, Takes
from callcenter.segments import policy
from callcenter.segments.rules import Known
from callcenter.web.edge import chosen
from callcenter.web.formats import label
from callcenter.web.pages import segments as page

COLUMNS = (
    *("form", "event", "days", "times", "recent_days", "amount", "least"),
    *("field", "op", "value", "has", "tag", "group"),
)
EMPTY: Mapping[str, str] = dict.fromkeys(COLUMNS, "") | {
    "form": "did",
    "days": "30",
    "times": "1",
    "has": "has",
}
_MOST = 200


def typed_from(form: MultiDict[str, str]) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Take the form as it was sent: the values above the rows, and the rows."""
    values = {
        name: form.get(name, "").replace("\x00", "").strip()[:_MOST]
        for name in ("key", "title.en", "title.zh", "joined")
    }
    columns = [form.getlist(f"row-{name}")[: policy.MOST_ROWS + 1] for name in COLUMNS]
    rows = [
        dict(zip(COLUMNS, (one.replace("\x00", "").strip()[:_MOST] for one in row), strict=True))
        for row in zip(*columns, strict=False)
    ]
    return values, rows


def typed_of(key: str, title: Mapping[str, str], definition: Mapping[str, Any]) -> Any:
    """Fill the form in from a kept segment."""
    values = {
        "key": key,
        "title.en": title.get("en", ""),
        "title.zh": title.get("zh", ""),
        "joined": "any" if definition.get("any") else "all",
    }
    return values, [_typed_row(one) for one in definition.get("rows", [])]


def _typed_row(row: Mapping[str, Any]) -> dict[str, str]:
    typed = {**EMPTY, "days": "", "times": ""}
    typed |= {
        name: _text(value) for name, value in row.items() if name in COLUMNS and name not in ("value", "op")
    }
    value = _text(row.get("value", ""))
    if row["form"] == SegmentForm.ATTRIBUTE:
        return typed | {"op": str(row["op"]), "value": value}
    if row["form"] in (SegmentForm.TAG, SegmentForm.SURVEY):
        name = "tag" if row["form"] == SegmentForm.TAG else "group"
        return typed | {"has": str(row.get("op", "has")), name: value}
    return typed


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def definition_of(
    values: Mapping[str, str], rows: list[dict[str, str]], known: Known, key: str | None = None
) -> dict[str, Any]:
    """Return the definition a form makes; what is wrong in it is found when it is read."""
    return {
        "segment": key or values["key"],
        "title": {lang: values[f"title.{lang}"] for lang in ("en", "zh") if values[f"title.{lang}"]},
        "any": values["joined"] == "any",
        "rows": [_row(one, known) for one in rows],
    }


def _row(typed: Mapping[str, str], known: Known) -> dict[str, Any]:
    form = typed["form"]
    if form == SegmentForm.ATTRIBUTE:
        value = _value(typed["field"], typed["op"], typed["value"], known)
        return {"form": form, "field": typed["field"], "op": typed["op"], "value": value}
    if form in (SegmentForm.TAG, SegmentForm.SURVEY):
        return {
            "form": form,
            "op": typed["has"],
            "value": typed["tag" if form == SegmentForm.TAG else "group"],
        }
    row: dict[str, Any] = {"form": form, "event": typed["event"], "days": _whole(typed["days"])}
    if form in (SegmentForm.DID, SegmentForm.WORTH):
        row["times"] = _whole(typed["times"] or "1")
    if form == SegmentForm.WORTH:
        row["recent_days"] = _whole(typed["recent_days"] or typed["days"])
        row |= {"amount": typed["amount"], "least": _number(typed["least"])}
    return row


def _whole(text: str) -> Any:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else text


def _number(text: str) -> Any:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return text


def _value(name: str, op: str, text: str, known: Known) -> Any:
    one = known.fields.get(name)
    if one is None:
        return text
    operator = one.operators.get(op)
    if operator is not None and operator.takes is Takes.LIST:
        return [
            part.strip() for part in text.replace("，", ",").replace("、", ",").split(",") if part.strip()
        ]
    return _number(text) if one.type is FieldType.NUMBER else text


def form_page(
    values: Mapping[str, str],
    rows: list[dict[str, str]],
    known: Known,
    problems: Mapping[str, str],
    **more: Any,
) -> page.SegmentForm:
    """Return the form with what can be chosen in it."""
    operators = {op: op for one in known.fields.values() for op in one.operators}
    return page.SegmentForm(
        values=values,
        rows=tuple(
            page.FormRow(one, problems.get(str(place))) for place, one in enumerate(rows or [dict(EMPTY)])
        ),
        problems=problems,
        forms=tuple((one.value, words) for one, words in form_words().items()),
        events=tuple((name, chosen(dict(words), name)) for name, (_, words) in known.events.items()),
        amounts=tuple((name, chosen(dict(words), name)) for name, words in known.amounts.items()),
        fields=tuple((name, chosen(dict(one.label), name)) for name, one in known.fields.items()),
        operators=tuple(operators.items()),
        groups=tuple((one.value, label(one.value)) for one in SurveyGroup),
        most_rows=policy.MOST_ROWS,
        **more,
    )


def form_words() -> dict[SegmentForm, str]:
    """What each form of a row asks for."""
    return {
        SegmentForm.DID: gettext("did"),
        SegmentForm.DID_NOT: gettext("did not do"),
        SegmentForm.FIRST: gettext("did for the first time"),
        SegmentForm.LAST: gettext("did last longer ago than"),
        SegmentForm.WORTH: gettext("did lately, often and for much"),
        SegmentForm.ATTRIBUTE: gettext("is described by"),
        SegmentForm.TAG: gettext("has a tag"),
        SegmentForm.SURVEY: gettext("said in a survey"),
    }

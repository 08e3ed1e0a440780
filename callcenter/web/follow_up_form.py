"""The form of a follow-up: alone on the console, or as a part of the wrap-up."""

from collections.abc import Mapping
from datetime import date
from typing import cast
from uuid import UUID

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate

from callcenter.domain.enums import FollowUpKind
from callcenter.errors import BadInput
from callcenter.outcomes.rules import MAX_FOLLOW_UP_TEXT, NewFollowUp
from callcenter.web.edge import runtime, viewer, zone


class FollowUpSchema(Schema):
    """What business was met, who sees to it and by when. The names keep clear of the wrap-up's."""

    class Meta:
        """The form carries the CSRF token and the rest of the wrap-up too, which are read elsewhere."""

        unknown = EXCLUDE

    follow_up_kind = fields.Enum(FollowUpKind, by_value=True, required=True)
    follow_up_text = fields.String(required=True, validate=validate.Length(1, MAX_FOLLOW_UP_TEXT))
    follow_up_owner = fields.UUID(load_default=None, allow_none=True)
    follow_up_on = fields.Date(required=True)

    @post_load
    def to_follow_up(self, data: dict[str, object], **_: object) -> NewFollowUp:
        """Return what the verb takes; without an owner it is the viewer's."""
        return NewFollowUp(
            kind=cast(FollowUpKind, data["follow_up_kind"]),
            text=str(data["follow_up_text"]),
            owner_id=cast(UUID, data["follow_up_owner"] or viewer().id),
            due_on=cast(date, data["follow_up_on"]),
        )


def read_follow_up(form: Mapping[str, str]) -> NewFollowUp:
    """Check the form; raises BadInput that says what to give."""
    try:
        new: NewFollowUp = FollowUpSchema().load(dict(form))
    except ValidationError as error:
        messages = error.messages if isinstance(error.messages, dict) else {"form": error.messages}
        text = "Say what is to be done, who does it and by when: from today on, within a year."
        raise BadInput(text, messages) from None
    return new


def has_follow_up(form: Mapping[str, str]) -> bool:
    """Whether a wrap-up has one written down that was not noted before."""
    return bool(form.get("follow_up_text", "").strip())


def todays_date() -> date:
    """Return the viewer's day."""
    return runtime().clock().astimezone(zone()).date()

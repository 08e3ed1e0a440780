"""What the API takes: checked here, trusted inside."""

from datetime import UTC, datetime
from typing import Any

import orjson
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from callcenter.compliance.ledgers import MAX_TEXT
from callcenter.domain.enums import Purpose, SuppressionKind, SuppressionScope, TaskState
from callcenter.domain.partners import DeliveryState, WebhookKind
from callcenter.intake.directory import MAX_TAG, MAX_TAGS
from callcenter.intake.list_files import MAX_REASON
from callcenter.intake.policy import MAX_EVENT_BYTES, MAX_ID

MAX_BULK = 1_000
_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def text(most: int, least: int = 0, **more: Any) -> fields.String:
    """A text of at most so many letters."""
    return fields.String(validate=validate.Length(min=least, max=most), **more)


def moment(**more: Any) -> fields.AwareDateTime:
    """A time with its zone."""
    about = {"description": "ISO 8601 with a zone, for example 2026-12-01T09:00:00Z."}
    return fields.AwareDateTime(
        format="iso", validate=validate.Range(min=_EARLIEST, max=_LATEST), metadata=about, **more
    )


def word(kind: Any, **more: Any) -> fields.String:
    """One of the words of an enumeration."""
    return fields.String(validate=validate.OneOf([one.value for one in kind]), **more)


def tag_list(**more: Any) -> "fields.List[str]":
    """Some tags."""
    one = fields.String(validate=validate.Length(min=1, max=MAX_TAG))
    return fields.List(one, validate=validate.Length(max=MAX_TAGS), **more)


class Customer(Schema):
    """What is known of a customer; what is left out stays as it is."""

    name = text(120, metadata={"example": "Chen Wei"})
    phone = text(40, metadata={"description": "In international form.", "example": "+8613800138000"})
    time_zone = text(64, metadata={"description": "An IANA zone.", "example": "Asia/Shanghai"})
    language = fields.String(validate=validate.OneOf(["en", "zh"]))
    gender = text(20)
    city = text(120)
    tags = tag_list(metadata={"description": "Replaces the tags there are."})
    traits = fields.Dict(
        keys=fields.String(), metadata={"description": "Anything else; rules and scripts may speak of it."}
    )

    @validates_schema
    def _small(self, data: dict[str, Any], **_: Any) -> None:
        try:
            is_large = len(orjson.dumps(data.get("traits", {}))) > MAX_EVENT_BYTES
        except (TypeError, ValueError):
            is_large = True
        if is_large:
            raise ValidationError(f"At most {MAX_EVENT_BYTES // 1024} KB.", "traits")


class CustomerRow(Customer):
    """One customer of several."""

    external_id = text(MAX_ID, 1, required=True, metadata={"description": "The bank's own id."})


class Bulk(Schema):
    """Several customers; each is checked by itself."""

    customers = fields.List(
        fields.Dict(keys=fields.String()),
        required=True,
        validate=validate.Length(min=1, max=MAX_BULK),
        metadata={"description": "Each as for one customer, with external_id; a wrong one harms no other."},
    )


class Tags(Schema):
    """Tags to add."""

    tags = fields.List(
        fields.String(validate=validate.Length(min=1, max=MAX_TAG)),
        required=True,
        validate=validate.Length(min=1, max=MAX_TAGS),
    )


class CallWanted(Schema):
    """A call to ask for."""

    external_id = text(
        MAX_ID, 1, required=True, metadata={"description": "The bank's own id of the customer."}
    )
    journey = text(64, 1, required=True)
    step = text(
        64, 1, metadata={"description": "What the call is about; the step the customer is on when left out."}
    )
    reason = text(MAX_REASON, load_default="", metadata={"description": "Shown to the agent."})
    priority = fields.Integer(strict=True, validate=validate.Range(min=0, max=100), load_default=50)
    purpose = word(Purpose, load_default=Purpose.SERVICE.value)
    expires_at = moment()


class CallbackWanted(Schema):
    """A call to promise."""

    call_task_id = fields.UUID(required=True)
    at = moment(required=True)
    said = text(200, load_default="", metadata={"description": "What was agreed; shown to the agent."})


class SuppressionWanted(Schema):
    """Somebody not to call: a customer, a number, or both."""

    external_id = text(MAX_ID, 1)
    number = text(40, 1, metadata={"description": "In international form.", "example": "+8613800138000"})
    kind = word(SuppressionKind, load_default=SuppressionKind.DO_NOT_CALL.value)
    scope = word(SuppressionScope, load_default=SuppressionScope.GLOBAL.value)
    purpose = word(Purpose)
    campaign = text(64, 1)
    reason = text(MAX_TEXT, load_default="")
    proof = text(MAX_TEXT, load_default="")
    expires_at = moment()


class EndpointWanted(Schema):
    """An address to tell, and of what."""

    url = text(500, 1, required=True, metadata={"example": "https://bank.example/hooks/calls"})
    kinds = fields.List(
        word(WebhookKind), required=True, validate=validate.Length(min=1, max=len(WebhookKind))
    )


class EndpointChange(Schema):
    """What of an endpoint to change."""

    kinds = fields.List(word(WebhookKind), validate=validate.Length(min=1, max=len(WebhookKind)))
    is_enabled = fields.Boolean(truthy={True}, falsy={False})


class Replay(Schema):
    """What to tell again: one delivery, or all that have failed."""

    delivery_id = fields.Integer(strict=True, validate=validate.Range(min=1, max=2**62))


class Paged(Schema):
    """A page of a list."""

    limit = fields.Integer(
        validate=validate.Range(min=1, max=200), load_default=50, metadata={"description": "Rows a page."}
    )
    cursor = text(200, metadata={"description": "next_cursor of the page before."})


class Since(Paged):
    """A page of a list that begins at a time."""

    since = moment()


class OfCustomer(Since):
    """A list, of one customer when the bank's id is given."""

    external_id = text(MAX_ID, 1)


class OfTasks(OfCustomer):
    """Which call tasks."""

    state = word(TaskState)
    journey = text(64, 1)


class OfOutcomes(OfCustomer):
    """Which conversions."""

    journey = text(64, 1)


class OfAttempts(OfCustomer):
    """Which attempts or dispositions."""

    call_task_id = fields.UUID()


class OfCallbacks(OfAttempts):
    """Which callbacks."""

    is_open = fields.Boolean(truthy={"true", "1"}, falsy={"false", "0"})


class OfDeliveries(Schema):
    """Which deliveries: the newest first, before an id."""

    limit = fields.Integer(validate=validate.Range(min=1, max=200), load_default=50)
    before = fields.Integer(validate=validate.Range(min=1, max=2**62))
    state = word(DeliveryState)


class ListWanted(Schema):
    """What a list says of all its calls."""

    name = text(120, 1, load_default="list")
    journey = text(64, 1, required=True)
    step = text(64, 1)
    reason = text(MAX_REASON, load_default="")
    priority = fields.Integer(validate=validate.Range(min=0, max=100), load_default=50)
    purpose = word(Purpose, load_default=Purpose.SERVICE.value)
    expires_at = moment()
    dry_run = fields.Boolean(truthy={"true", "1"}, falsy={"false", "0"}, load_default=False)

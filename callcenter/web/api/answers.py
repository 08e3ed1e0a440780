"""What the API answers, as its document says it."""

from typing import Any

from marshmallow import Schema, fields


def _or_none(kind: type[fields.Field[Any]], **more: Any) -> fields.Field[Any]:
    return kind(required=True, allow_none=True, **more)


def _is(kind: type[fields.Field[Any]], **more: Any) -> fields.Field[Any]:
    return kind(required=True, **more)


class CustomerKept(Schema):
    """That a customer is kept."""

    customer_id = _is(fields.UUID, metadata={"description": "Our id of the customer."})
    external_id = _is(fields.String)
    is_new = _is(fields.Boolean)


class CustomerShown(Schema):
    """A customer as we know them."""

    customer_id = _is(fields.UUID)
    external_id = _is(fields.String)
    name = _or_none(fields.String)
    phone = _or_none(fields.String)
    time_zone = _or_none(fields.String)
    language = _is(fields.String)
    gender = _or_none(fields.String)
    city = _or_none(fields.String)
    tags = fields.List(fields.String(), required=True)
    agent_tags = fields.List(fields.String(), required=True)
    segments = fields.List(fields.String(), required=True)
    survey_group = _or_none(fields.String)
    traits = _is(fields.Dict)
    is_frozen = _is(fields.Boolean)
    created_at = _is(fields.DateTime)
    updated_at = _is(fields.DateTime)


class BulkResult(Schema):
    """What became of one customer."""

    index = _is(fields.Integer)
    status = fields.String(required=True, metadata={"enum": ["stored", "refused"]})
    external_id = _or_none(fields.String)
    customer_id = _or_none(fields.UUID)
    is_new = _or_none(fields.Boolean)
    code = _or_none(fields.String)
    message = _or_none(fields.String)


class BulkKept(Schema):
    """What became of several customers, in their order."""

    stored = _is(fields.Integer)
    refused = _is(fields.Integer)
    results = fields.List(fields.Nested(BulkResult), required=True)


class TagsShown(Schema):
    """A customer's tags."""

    customer_id = _is(fields.UUID)
    tags = fields.List(fields.String(), required=True)


class Task(Schema):
    """A call task."""

    call_task_id = _is(fields.UUID)
    customer_id = _is(fields.UUID)
    external_id = _or_none(fields.String)
    journey = _is(fields.String)
    step = _is(fields.String)
    rule = _is(fields.String)
    purpose = _is(fields.String)
    state = _is(fields.String)
    state_at = _is(fields.DateTime)
    priority = _is(fields.Integer)
    why_no_call = fields.List(fields.String(), required=True)
    cancel_reason = _or_none(fields.String)
    attempts = _is(fields.Integer)
    script_id = _or_none(fields.String)
    reason = _or_none(fields.String)
    asked_by = _or_none(fields.String)
    created_at = _is(fields.DateTime)
    not_before_at = _is(fields.DateTime)
    expires_at = _is(fields.DateTime)
    closed_at = _or_none(fields.DateTime)


class GrantShown(Schema):
    """An offer granted on an attempt; amounts are decimals as text, in major units of the currency."""

    grant_id = _is(fields.UUID)
    offer = _is(fields.String)
    offer_version = _is(fields.Integer)
    value = _is(fields.String)
    cost = _is(fields.String)
    currency = _is(fields.String)
    granted_at = _is(fields.DateTime)
    taken_back_at = _or_none(fields.DateTime)


class Attempt(Schema):
    """One dial of one number."""

    attempt_id = _is(fields.UUID)
    call_task_id = _is(fields.UUID)
    customer_id = _is(fields.UUID)
    external_id = _or_none(fields.String)
    state = _is(fields.String)
    result = _or_none(fields.String)
    claimed_at = _is(fields.DateTime)
    answered_at = _or_none(fields.DateTime)
    ended_at = _or_none(fields.DateTime)
    talk_seconds = _or_none(fields.Integer)
    purpose = _is(fields.String)
    mode = _is(fields.String)
    offers = fields.List(fields.Nested(GrantShown), required=True)


class DispositionShown(Schema):
    """What the agent said of an attempt."""

    attempt_id = _is(fields.UUID)
    call_task_id = _is(fields.UUID)
    customer_id = _is(fields.UUID)
    external_id = _or_none(fields.String)
    disposition = _is(fields.String)
    causes = fields.List(fields.String(), required=True)
    at = _is(fields.DateTime)


class OutcomeShown(Schema):
    """A conversion seen in journey events. `fate` says whether the firing became a task or was held out."""

    firing_id = _is(fields.UUID)
    call_task_id = _or_none(fields.UUID)
    customer_id = _is(fields.UUID)
    external_id = _or_none(fields.String)
    journey = _is(fields.String)
    rule = _is(fields.String)
    fate = _or_none(fields.String)
    converted_step = _or_none(fields.String)
    converted_at = _is(fields.DateTime)


class CallbackShown(Schema):
    """A promised call."""

    callback_id = _is(fields.UUID)
    call_task_id = _is(fields.UUID)
    customer_id = _is(fields.UUID)
    external_id = _or_none(fields.String)
    at = _is(fields.DateTime)
    is_personal = _is(fields.Boolean)
    created_at = _is(fields.DateTime)
    closed_at = _or_none(fields.DateTime)


class SuppressionKept(Schema):
    """That somebody is not to be called."""

    suppression_id = _is(fields.Integer)
    kind = _is(fields.String)
    scope = _is(fields.String)
    customer_id = _or_none(fields.UUID)
    expires_at = _or_none(fields.DateTime)


class SuppressionShown(Schema):
    """An entry in force against a customer or their number."""

    suppression_id = _is(fields.Integer)
    kind = _is(fields.String)
    scope = _is(fields.String)
    about_person = _is(fields.Boolean)
    about_number = _is(fields.Boolean)
    purpose = _or_none(fields.String)
    campaign = _or_none(fields.String)
    source = _is(fields.String)
    created_at = _is(fields.DateTime)
    expires_at = _or_none(fields.DateTime)


class ListedShown(Schema):
    """An imported list in force that holds the customer's number."""

    key = _is(fields.String)
    purpose = _or_none(fields.String)
    as_of = _is(fields.DateTime)


class SuppressionsShown(Schema):
    """What is in force against a customer."""

    items = fields.List(fields.Nested(SuppressionShown), required=True)
    lists = fields.List(fields.Nested(ListedShown), required=True)


class RefusedRow(Schema):
    """A row that was not taken: its number in the file, a code, what to do."""

    number = _is(fields.Integer)
    code = _is(fields.String)
    message = _is(fields.String)


class FailedList(Schema):
    """Why a list could not be read, and what to do."""

    code = _is(fields.String)
    message = _is(fields.String)


class ListShown(Schema):
    """A list of customers to call and how far it is. A dry run calls nobody; one answered at once has no id."""

    list_id = _or_none(fields.UUID)
    name = _is(fields.String)
    is_dry_run = _is(fields.Boolean)
    state = fields.String(
        required=True, metadata={"enum": ["reading", "checked", "working", "done", "failed"]}
    )
    rows_total = _is(fields.Integer)
    rows_done = _is(fields.Integer)
    tasks_opened = _is(fields.Integer)
    refused_total = _is(fields.Integer)
    refused = fields.List(fields.Nested(RefusedRow), required=True)
    ignored_columns = fields.List(fields.String(), required=True)
    failed = fields.Nested(FailedList, required=True, allow_none=True)
    created_at = _or_none(fields.DateTime)
    ended_at = _or_none(fields.DateTime)


class EndpointShown(Schema):
    """A webhook endpoint. The secret is told when it is made, and not again."""

    webhook_id = _is(fields.UUID)
    url = _is(fields.String)
    kinds = fields.List(fields.String(), required=True)
    is_enabled = _is(fields.Boolean)
    pending = _is(fields.Integer)
    failed = _is(fields.Integer)
    created_at = _is(fields.DateTime)
    secret = fields.String()


class Endpoints(Schema):
    """The webhook endpoints."""

    items = fields.List(fields.Nested(EndpointShown), required=True)


class Delivery(Schema):
    """One telling of one fact."""

    delivery_id = _is(fields.Integer)
    event_id = _is(fields.UUID)
    event = _is(fields.String)
    state = _is(fields.String)
    tries = _is(fields.Integer)
    created_at = _is(fields.DateTime)
    due_at = _is(fields.DateTime)
    last_status = _or_none(fields.Integer)
    last_error = _or_none(fields.String)


class Deliveries(Schema):
    """Deliveries, the newest first."""

    items = fields.List(fields.Nested(Delivery), required=True)


class Replayed(Schema):
    """How many deliveries are due again."""

    replayed = _is(fields.Integer)


class Removed(Schema):
    """That something is gone."""

    removed = _is(fields.Boolean)


def page_of(one: type[Schema], name: str) -> type[Schema]:
    """Return the schema of a page of these."""
    about = {"description": "Send it as cursor for the next page; null at the end."}
    return Schema.from_dict(
        {
            "items": fields.List(fields.Nested(one), required=True),
            "next_cursor": fields.String(required=True, allow_none=True, metadata=about),
        },
        name=name,
    )


Tasks = page_of(Task, "Tasks")
Attempts = page_of(Attempt, "Attempts")
Dispositions = page_of(DispositionShown, "Dispositions")
Outcomes = page_of(OutcomeShown, "Outcomes")
Callbacks = page_of(CallbackShown, "Callbacks")
Lists = page_of(ListShown, "Lists")

"""Many waiting call tasks at once, like one that waits: each with a customer, a visit and a firing of its own."""

from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from callcenter.models import CallTask

_COPY = """
DROP TABLE IF EXISTS crowd;
CREATE TEMPORARY TABLE crowd ON COMMIT DROP AS
SELECT gen_random_uuid() AS customer, gen_random_uuid() AS visit, gen_random_uuid() AS firing,
       gen_random_uuid() AS task, n FROM generate_series(1, :many) n;
INSERT INTO customer SELECT (jsonb_populate_record(c, jsonb_build_object('id', k.customer,
  'external_id', :prefix || k.n, 'number', '+86139' || lpad((:first + k.n)::text, 8, '0'),
  'language', CAST(:language AS text)))).*
  FROM crowd k, customer c WHERE c.id = :customer;
INSERT INTO visit SELECT (jsonb_populate_record(v, jsonb_build_object('id', k.visit, 'customer_id', k.customer))).*
  FROM crowd k, visit v WHERE v.id = :visit;
INSERT INTO trigger_firing SELECT (jsonb_populate_record(f, jsonb_build_object('id', k.firing,
  'customer_id', k.customer, 'visit_id', k.visit))).*
  FROM crowd k, trigger_firing f WHERE f.id = :firing;
INSERT INTO call_task SELECT (jsonb_populate_record(t, jsonb_build_object('id', k.task, 'firing_id', k.firing,
  'customer_id', k.customer, 'visit_id', k.visit, 'language', CAST(:language AS text)))).*
  FROM crowd k, call_task t WHERE t.id = :task;
"""


def a_crowd(
    session: Session,
    like: CallTask,
    many: int,
    *,
    language: str = "zh",
    prefix: str = "crowd-",
    first: int = 0,
) -> None:
    """Let so many more call tasks wait as this one does."""
    told = {
        "many": many,
        "prefix": prefix,
        "first": first,
        "language": language,
        "customer": like.customer_id,
        "visit": like.visit_id,
        "firing": like.firing_id,
        "task": like.id,
    }
    for statement in _COPY.split(";\n"):
        if statement.strip():
            asked = {name: value for name, value in told.items() if f":{name}" in statement}
            session.execute(text(statement), asked)
    session.commit()


def ids_of(rows: list[list[str]]) -> set[UUID]:
    """The call tasks a record names."""
    return {UUID(str(row[0])) for row in rows}

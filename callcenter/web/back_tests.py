"""Back-tests of a version in the studio: asked for, waited for, compared."""

from flask import render_template, request
from flask_babel import gettext
from sqlmodel import Session

from callcenter.backtest import asked
from callcenter.domain.enums import Role
from callcenter.journeys.queries import journeys_loaded
from callcenter.web.back_test_view import back_test_part
from callcenter.web.draft_acts import edits
from callcenter.web.draft_view import read_form
from callcenter.web.edge import blueprint, roles_required, runtime, viewer, zone
from callcenter.web.rule_form import typed_from
from callcenter.web.rules_view import the_version, the_versions

bp = blueprint("back_tests")


@bp.post("/studio/rules/<rule_key>/versions/<int:version>/back-test")
@roles_required(Role.STRATEGIST)
def back_test(rule_key: str, version: int) -> str:
    """Have a version played back over the last four weeks: a draft as it is typed, another as it was written."""
    with runtime().unit_of_work() as session:
        note = _ask(session, rule_key, version)
    return _part(rule_key, version, note)


@bp.get("/studio/rules/<rule_key>/versions/<int:version>/back-test")
@roles_required(Role.STRATEGIST)
def back_test_state(rule_key: str, version: int) -> str:
    """Answer with the back-tests of a version as they stand."""
    return _part(rule_key, version)


def _part(rule_key: str, version: int, note: str = "") -> str:
    with runtime().reading() as session:
        the_version(the_versions(session, rule_key), version)
        part = back_test_part(session, rule_key, version, runtime().clock(), note)
    return render_template("studio/_back_test.html", part=part)


def _ask(session: Session, rule_key: str, version: int) -> str:
    """Ask for it; what is typed and makes no rule is told instead, and asked for is nothing."""
    row = the_version(the_versions(session, rule_key), version)
    definition = row.definition
    if edits(session, rule_key, version) and "preset" in request.form:
        read = read_form(session, typed_from(request.form), row, journeys_loaded(session)[row.journey])
        if read.problems:
            return gettext(
                "Put right first what the form says: %(what)s", what="; ".join(read.problems.values())
            )
        definition = read.raw
    asked.ask(session, rule_key, version, definition, zone().key, viewer().id, runtime().clock())
    return ""

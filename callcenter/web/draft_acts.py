"""What the form of a draft asks for: rows added or taken away, saved, sent for review, given up."""

from dataclasses import replace

from flask_babel import gettext
from sqlmodel import Session
from werkzeug.datastructures import MultiDict

from callcenter import acts
from callcenter.domain.enums import RuleState
from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import TriggerRule
from callcenter.triggers.life import RuleAct, why_not
from callcenter.triggers.queries import facts_of_version
from callcenter.web.back_test_view import back_test_part
from callcenter.web.draft_view import draft_page, read_form
from callcenter.web.edge import runtime, viewer
from callcenter.web.pages.rules import DraftPage
from callcenter.web.rule_form import Typed, acted_on, typed_from
from callcenter.web.rules_view import rule_url, the_version, the_versions

SAVING = frozenset({"save", "overwrite", "submit"})


def edits(session: Session, rule_key: str, version: int) -> bool:
    """Whether the viewer has this version before them as a form: their own draft."""
    rows = the_versions(session, rule_key)
    row = the_version(rows, version)
    return why_not(RuleAct.EDIT, facts_of_version(row, rows), viewer().id) is None


def draft_shown(rule_key: str, version: int) -> DraftPage:
    """The form as it was saved last."""
    with runtime().reading() as session:
        rows = the_versions(session, rule_key)
        return _tested(session, draft_page(session, rows, the_version(rows, version)))


def _tested(session: Session, page: DraftPage) -> DraftPage:
    """The form with its back-tests."""
    return replace(page, back_test=back_test_part(session, page.key, page.number, runtime().clock()))


def act_on_draft(rule_key: str, version: int, form: MultiDict[str, str]) -> tuple[DraftPage | str, int]:
    """Do what was pressed; return the form with its status, or the address to go to.

    Nothing typed is lost: a refusal answers with the form as it was sent. Ctrl+Enter presses no button and
    means: send for review.
    """
    act = form.get("do", "submit")
    if act == "discard":
        with runtime().unit_of_work() as session:
            acts.discard_rule_draft(session, rule_key, version, viewer().id, runtime().clock())
        return rule_url(rule_key), 200
    typed = acted_on(typed_from(form), act)
    if act not in SAVING:
        with runtime().reading() as session:
            if not edits(session, rule_key, version):
                raise Conflict("This version is not yours to edit, or not any more. Reload the page.")
        return _shown(rule_key, version, typed), 200
    seen = form.get("now_seen", "") if act == "overwrite" else typed.seen
    try:
        is_right = _save(rule_key, version, typed, seen, submits=act == "submit")
    except Conflict:
        if not _is_still_a_draft(rule_key, version):
            raise
        return _shown(rule_key, version, typed, in_conflict=True), 409
    except BadInput as error:
        if "note" not in error.fields:
            raise
        page = _shown(rule_key, version, typed)
        text = gettext("Say why this version is wanted; whoever reviews it reads that first.")
        return _with_problem(page, "note", text), 422
    if not is_right:
        return _shown(rule_key, version, typed), 422
    return (rule_url(rule_key, version), 200) if act == "submit" else (draft_shown(rule_key, version), 200)


def _save(rule_key: str, version: int, typed: Typed, seen: str, *, submits: bool) -> bool:
    """Write what was typed, and send it for review if asked; False when it makes no rule."""
    now, user_id = runtime().clock(), viewer().id
    with runtime().unit_of_work() as session:
        row = _row(session, rule_key, version)
        if row.state != RuleState.DRAFT:
            raise Conflict(f"Version {version} is {row.state.replace('_', ' ')} by now. Reload the page.")
        read = read_form(session, typed, row, journeys_loaded(session)[row.journey])
        if read.problems:
            return False
        saved = acts.save_rule_draft(
            session, rule_key, version, read.raw, user_id, now, seen=seen, note=typed.note
        )
        if submits:
            acts.submit_rule(session, rule_key, version, user_id, now, note=saved.note)
    return True


def _row(session: Session, rule_key: str, version: int) -> TriggerRule:
    row = the_version(the_versions(session, rule_key), version)
    if row.journey not in journeys_loaded(session):
        raise NotFound(f"Journey {row.journey!r} is not loaded any more.")
    return row


def _is_still_a_draft(rule_key: str, version: int) -> bool:
    with runtime().reading() as session:
        return _row(session, rule_key, version).state == RuleState.DRAFT


def _shown(rule_key: str, version: int, typed: Typed, *, in_conflict: bool = False) -> DraftPage:
    with runtime().reading() as session:
        rows = the_versions(session, rule_key)
        shown = draft_page(session, rows, the_version(rows, version), typed, in_conflict=in_conflict)
        return _tested(session, shown)


def _with_problem(page: DraftPage, name: str, message: str) -> DraftPage:
    return replace(page, form=replace(page.form, problems={**page.form.problems, name: message}))

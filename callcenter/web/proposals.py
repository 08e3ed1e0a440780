"""What the system would change, why, and what people make of it; canaries of rules and the way back."""

from uuid import UUID

from flask import Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from callcenter import deciding, trials
from callcenter.domain.enums import Role
from callcenter.web.edge import blueprint, roles_required, runtime, viewer
from callcenter.web.pages.proposals import ProposalsPage
from callcenter.web.proposals_csv import proposals_csv
from callcenter.web.proposals_view import URL, proposals_page
from callcenter.web.rules_view import rule_url

bp = blueprint("proposals")


def _page(chosen: UUID | None = None) -> ProposalsPage:
    with runtime().reading() as session:
        return proposals_page(session, chosen, runtime().clock())


@bp.get("/studio/proposals")
@roles_required(Role.STRATEGIST)
def proposals() -> str:
    """Show what the system proposes, the first that waits in full."""
    return render_template("studio/proposals.html", page=_page())


@bp.get("/studio/proposals.csv")
@roles_required(Role.STRATEGIST)
def proposals_file() -> Response:
    """Answer with every proposal as CSV."""
    with runtime().reading() as session:
        answer = Response(proposals_csv(session), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="proposals.csv"'
    return answer


@bp.get("/studio/proposals/<uuid:proposal_id>")
@roles_required(Role.STRATEGIST)
def proposal(proposal_id: UUID) -> str:
    """Show the proposals with this one in full."""
    return render_template("studio/proposals.html", page=_page(proposal_id))


@bp.post("/studio/proposals/<uuid:proposal_id>/accept")
@roles_required(Role.STRATEGIST)
def accept(proposal_id: UUID) -> str | AnyResponse:
    """Take a proposal up; `days` says how long a canary is to last."""
    days = request.form.get("days", 14, type=int)
    with runtime().unit_of_work() as session:
        deciding.accept(session, proposal_id, viewer().id, runtime().clock(), days=days)
    return _back(proposal_id)


@bp.post("/studio/proposals/<uuid:proposal_id>/decline")
@roles_required(Role.STRATEGIST)
def decline(proposal_id: UUID) -> str | AnyResponse:
    """Say no, with the reason."""
    reason = request.form.get("reason", "")
    with runtime().unit_of_work() as session:
        deciding.decline(session, proposal_id, viewer().id, runtime().clock(), reason=reason)
    return _back(proposal_id)


@bp.post("/studio/proposals/<uuid:proposal_id>/adopt")
@roles_required(Role.STRATEGIST)
def adopt(proposal_id: UUID) -> str | AnyResponse:
    """Make what was tried or reviewed live for everybody, as a second person."""
    with runtime().unit_of_work() as session:
        deciding.adopt(session, proposal_id, viewer().id, runtime().clock())
    return _back(proposal_id)


@bp.post("/studio/proposals/<uuid:proposal_id>/roll-back")
@roles_required(Role.STRATEGIST)
def roll_back(proposal_id: UUID) -> str | AnyResponse:
    """Take a canary or an adopted change back at once, with the reason."""
    reason = request.form.get("reason", "")
    with runtime().unit_of_work() as session:
        deciding.roll_back(session, proposal_id, viewer().id, runtime().clock(), reason=reason)
    return _back(proposal_id)


def _back(proposal_id: UUID) -> str | AnyResponse:
    if request.headers.get("HX-Request"):
        return render_template("studio/_proposals.html", page=_page(proposal_id))
    return redirect(f"{URL}/{proposal_id}", 303)


@bp.post("/studio/rules/<rule_key>/roll-back")
@roles_required(Role.STRATEGIST)
def roll_back_rule(rule_key: str) -> AnyResponse:
    """Publish what an earlier version says at once; `to` chooses which, with the reason."""
    to_version, reason = request.form.get("to", type=int), request.form.get("reason", "")
    with runtime().unit_of_work() as session:
        trials.roll_back_rule(
            session, rule_key, viewer().id, runtime().clock(), to_version=to_version, reason=reason
        )
    return _go(rule_url(rule_key))


@bp.post("/studio/rules/<rule_key>/versions/<int:version>/try")
@roles_required(Role.STRATEGIST)
def try_version(rule_key: str, version: int) -> AnyResponse:
    """Try a version in review on a fifth of the customers for so many `days`, as a second person."""
    days = request.form.get("days", 14, type=int)
    with runtime().unit_of_work() as session:
        trials.try_rule(session, rule_key, version, viewer().id, runtime().clock(), days=days)
        deciding.follow(session, runtime().clock())
    return _go(rule_url(rule_key, version))


@bp.post("/studio/rules/<rule_key>/versions/<int:version>/stop-trial")
@roles_required(Role.STRATEGIST)
def stop_trial(rule_key: str, version: int) -> AnyResponse:
    """Stop a canary, with the reason."""
    reason = request.form.get("reason", "")
    with runtime().unit_of_work() as session:
        trials.stop_trial(session, rule_key, version, viewer().id, runtime().clock(), reason=reason)
        deciding.follow(session, runtime().clock())
    return _go(rule_url(rule_key))


def _go(url: str) -> AnyResponse:
    """Send a browser to a page: htmx by its own header, which a plain redirect would not be to it."""
    if request.headers.get("HX-Request"):
        return Response(status=200, headers={"HX-Redirect": url})
    return redirect(url, 303)

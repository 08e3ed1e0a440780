"""The strategist's studio: where customers leave, the rules, whether calling helps, what agents say."""

from flask import redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from callcenter import pipeline
from callcenter.domain.enums import Role
from callcenter.web.edge import blueprint, roles_required, runtime, viewer
from callcenter.web.effects_view import effects_page
from callcenter.web.library_view import scripts_page
from callcenter.web.pages import studio as page
from callcenter.web.studio_view import journeys_page, rules_page

bp = blueprint("strategy")


def _journeys() -> page.JourneysPage:
    days = request.args.get("days", 7, type=int)
    journey, step = request.args.get("journey"), request.args.get("step")
    with runtime().reading() as session:
        return journeys_page(session, journey, days, step, runtime().clock())


def _rules() -> page.RulesPage:
    with runtime().reading() as session:
        return rules_page(session, runtime().clock())


def _effects() -> page.EffectsPage:
    with runtime().reading() as session:
        return effects_page(session, request.args.get("rule"), runtime().house.catalog, runtime().clock())


def _scripts(script_id: str | None = None) -> page.ScriptsPage:
    with runtime().reading() as session:
        return scripts_page(session, runtime().house.catalog, script_id, request.args.get("variant"))


@bp.get("/studio")
@roles_required(Role.STRATEGIST)
def journeys() -> str:
    """Show where customers leave: `journey`, `days` (1, 7, 28) and `step` choose the view."""
    return render_template("studio/journeys.html", page=_journeys())


@bp.get("/studio/state")
@roles_required(Role.STRATEGIST)
def journeys_state() -> str:
    """Answer with the journey as it is now."""
    return render_template("studio/_journeys.html", page=_journeys())


@bp.get("/studio/rules")
@roles_required(Role.STRATEGIST)
def rules() -> str:
    """Show when we call: every rule in words, with its switch."""
    return render_template("studio/rules.html", page=_rules())


@bp.get("/studio/rules/state")
@roles_required(Role.STRATEGIST)
def rules_state() -> str:
    """Answer with the rules as they are now."""
    return render_template("studio/_rules.html", page=_rules())


@bp.post("/studio/rules/<rule_key>/<any(pause,resume):act>")
@roles_required(Role.STRATEGIST)
def switch_rule(rule_key: str, act: str) -> str | AnyResponse:
    """Pause a rule or let it run again; who did it is kept in the audit trail."""
    with runtime().unit_of_work() as session:
        pipeline.switch_rule(session, rule_key, viewer().id, runtime().clock(), live=act == "resume")
    return rules_state() if request.headers.get("HX-Request") else redirect("/studio/rules")


@bp.get("/studio/effects")
@roles_required(Role.STRATEGIST)
def effects() -> str:
    """Show whether calling brings customers back; `rule` chooses the one told in full."""
    return render_template("studio/effects.html", page=_effects())


@bp.get("/studio/effects/state")
@roles_required(Role.STRATEGIST)
def effects_state() -> str:
    """Answer with the effects as they are now."""
    return render_template("studio/_effects.html", page=_effects())


@bp.get("/studio/scripts")
@roles_required(Role.STRATEGIST)
def scripts() -> str:
    """Show the library."""
    return render_template("studio/scripts.html", page=_scripts())


@bp.get("/studio/scripts/<script_id>")
@roles_required(Role.STRATEGIST)
def script(script_id: str) -> str:
    """Show one script to read; `variant` chooses which."""
    return render_template("studio/scripts.html", page=_scripts(script_id))

"""The strategist's studio: where customers leave, the rules, whether calling helps, what agents say."""

from dataclasses import replace

from flask import Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from callcenter import acts
from callcenter.domain.enums import Role
from callcenter.errors import BadInput, Conflict
from callcenter.web.counted_view import counted_page
from callcenter.web.draft_acts import act_on_draft, draft_shown, edits
from callcenter.web.edge import blueprint, roles_required, runtime, uuid_field, viewer
from callcenter.web.effects_asked import Asked
from callcenter.web.effects_asked import asked_of as window_asked
from callcenter.web.effects_by_view import view_choices
from callcenter.web.effects_view import effects_page
from callcenter.web.library_view import scripts_page
from callcenter.web.new_rule_view import RESERVED, first_definition, new_rule_page, problem_of
from callcenter.web.pages import studio as page
from callcenter.web.pages.effects import EffectsPage
from callcenter.web.pages.rules import DraftPage
from callcenter.web.rules_view import rule_page, rule_url, version_page
from callcenter.web.studio_view import journeys_page, rules_page
from callcenter.web.why_view import why_page

bp = blueprint("strategy")


def _journeys() -> page.JourneysPage:
    days = request.args.get("days", 7, type=int)
    journey, step = request.args.get("journey"), request.args.get("step")
    with runtime().reading() as session:
        return journeys_page(session, journey, days, step, runtime().clock())


def _rules() -> page.RulesPage:
    with runtime().reading() as session:
        return rules_page(session, runtime().clock())


def _effects() -> tuple[EffectsPage, int]:
    error = None
    try:
        asked = window_asked(request.args)
    except BadInput as problem:
        asked, error = Asked(rule=request.args.get("rule")), problem
    told, catalog, hour = (
        error.message if error else None,
        runtime().house.catalog,
        runtime().settings.agent_hour_cost,
    )
    with runtime().reading() as session:
        shown = effects_page(session, asked, catalog, runtime().clock(), hour, told)
    return replace(shown, views=view_choices("rules")), error.status if error else 200


def _scripts(script_id: str | None = None) -> page.ScriptsPage:
    with runtime().reading() as session:
        catalog, variant = runtime().house.catalog, request.args.get("variant")
        return scripts_page(session, catalog, script_id, variant, runtime().clock())


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


@bp.get("/studio/rules/new")
@roles_required(Role.STRATEGIST)
def new_rule() -> str:
    """Show where a new rule begins; `journey` and `step` propose its place."""
    place = f"{request.args.get('journey', '')}/{request.args.get('step', '')}"
    with runtime().reading() as session:
        shown = new_rule_page(session, {"place": place})
    return render_template("studio/rule_new.html", page=shown)


@bp.post("/studio/rules/new")
@roles_required(Role.STRATEGIST)
def begin_rule() -> AnyResponse | tuple[str, int]:
    """Begin a new rule as a draft and go to its form."""
    values = {name: text.strip() for name, text in request.form.items()}
    raw = first_definition(values)
    try:
        if raw["rule"] in RESERVED:
            raise BadInput("rule: needs another name")
        with runtime().unit_of_work() as session:
            row = acts.begin_rule(session, raw, viewer().id, runtime().clock())
    except (BadInput, Conflict) as error:
        with runtime().reading() as session:
            shown = new_rule_page(session, values, dict([problem_of(error.message)]))
        return render_template("studio/rule_new.html", page=shown), error.status
    return _go(rule_url(row.rule_key, row.version))


@bp.get("/studio/rules/<rule_key>")
@roles_required(Role.STRATEGIST)
def rule(rule_key: str) -> str:
    """Show a rule: what it says, its versions with their differences, who did what."""
    return _rule(rule_key, "studio/rule.html")


def _rule(rule_key: str, template: str) -> str:
    with runtime().reading() as session:
        shown = rule_page(session, rule_key, runtime().clock())
    return render_template(template, page=shown)


@bp.post("/studio/rules/<rule_key>/<any(pause,resume):act>")
@roles_required(Role.STRATEGIST)
def switch_rule(rule_key: str, act: str) -> str | AnyResponse:
    """Pause a rule or let it run again; who did it is kept in the audit trail. `from=rule` came from its page."""
    with runtime().unit_of_work() as session:
        acts.switch_rule(session, rule_key, viewer().id, runtime().clock(), live=act == "resume")
    if request.args.get("from") == "rule":
        return _back_to(rule_key)
    return rules_state() if request.headers.get("HX-Request") else redirect("/studio/rules")


@bp.post("/studio/rules/<rule_key>/retire")
@roles_required(Role.STRATEGIST)
def retire_rule(rule_key: str) -> str | AnyResponse:
    """End a rule."""
    reason = request.form.get("reason", "")
    with runtime().unit_of_work() as session:
        acts.retire_rule(session, rule_key, viewer().id, runtime().clock(), reason=reason)
    return _back_to(rule_key)


@bp.post("/studio/rules/<rule_key>/drafts")
@roles_required(Role.STRATEGIST)
def draft_rule(rule_key: str) -> AnyResponse:
    """Begin the next version as a draft that says what `version` says, and go to its form."""
    like = request.form.get("version", 0, type=int)
    with runtime().unit_of_work() as session:
        row = acts.draft_rule(session, rule_key, like, viewer().id, runtime().clock())
    return _go(rule_url(rule_key, row.version))


@bp.get("/studio/rules/<rule_key>/versions/<int:version>")
@roles_required(Role.STRATEGIST)
def rule_version(rule_key: str, version: int) -> str:
    """Show one version: to its author a draft's form, else to read or to review."""
    with runtime().reading() as session:
        if not edits(session, rule_key, version):
            shown = version_page(session, rule_key, version, runtime().clock())
            return render_template("studio/rule_version.html", page=shown)
    return render_template("studio/rule_draft.html", page=draft_shown(rule_key, version))


@bp.post("/studio/rules/<rule_key>/versions/<int:version>")
@roles_required(Role.STRATEGIST)
def edit_draft(rule_key: str, version: int) -> AnyResponse | tuple[str, int]:
    """Take the form of a draft; `do` says which button was pressed."""
    shown, status = act_on_draft(rule_key, version, request.form)
    if not isinstance(shown, DraftPage):
        return _go(shown)
    part = "studio/_rule_draft.html" if request.headers.get("HX-Request") else "studio/rule_draft.html"
    return render_template(part, page=shown), status


@bp.post("/studio/rules/<rule_key>/versions/<int:version>/publish")
@roles_required(Role.STRATEGIST)
def publish_rule(rule_key: str, version: int) -> AnyResponse:
    """Make a reviewed version live; `open_visits` is pin or migrate."""
    migrate = request.form.get("open_visits") == "migrate"
    with runtime().unit_of_work() as session:
        acts.publish_rule(session, rule_key, version, viewer().id, runtime().clock(), migrate=migrate)
    return _go(rule_url(rule_key))


@bp.post("/studio/rules/<rule_key>/versions/<int:version>/send-back")
@roles_required(Role.STRATEGIST)
def send_rule_back(rule_key: str, version: int) -> AnyResponse:
    """Make a version in review a draft again, with the reason."""
    reason = request.form.get("reason", "")
    with runtime().unit_of_work() as session:
        acts.send_rule_back(session, rule_key, version, viewer().id, runtime().clock(), reason=reason)
    return _go(rule_url(rule_key))


def _go(url: str) -> AnyResponse:
    """Send a browser to a page: htmx by its own header, which a plain redirect would not be to it."""
    if request.headers.get("HX-Request"):
        return Response(status=200, headers={"HX-Redirect": url})
    return redirect(url, 303)


def _back_to(rule_key: str) -> str | AnyResponse:
    if request.headers.get("HX-Request"):
        return _rule(rule_key, "studio/_rule.html")
    return redirect(rule_url(rule_key), 303)


@bp.get("/studio/why")
@roles_required(Role.STRATEGIST)
def why() -> tuple[str, int]:
    """Tell why `rule` fired for `customer` (the bank's own id), or why not; `visit` chooses which."""
    asked = {name: request.args.get(name, "").strip() for name in ("rule", "customer", "visit")}
    visit_id = uuid_field(asked["visit"]) if asked["visit"] else None
    with runtime().reading() as session:
        shown, status = why_page(session, asked["rule"], asked["customer"], visit_id, runtime().clock())
    return render_template("studio/why.html", page=shown), status


@bp.get("/studio/effects")
@roles_required(Role.STRATEGIST)
def effects() -> tuple[str, int]:
    """Show whether calling brings customers back; `rule` chooses the one told in full, `window` whose counts."""
    shown, status = _effects()
    return render_template("studio/effects.html", page=shown), status


@bp.get("/studio/effects/state")
@roles_required(Role.STRATEGIST)
def effects_state() -> tuple[str, int]:
    """Answer with the effects as they are now."""
    shown, status = _effects()
    return render_template("studio/_effects.html", page=shown), status


@bp.get("/studio/effects/people")
@roles_required(Role.STRATEGIST)
def effects_people() -> str:
    """List the customers behind a count of `rule`; that somebody looked is in the audit trail."""
    with runtime().unit_of_work() as session:
        shown = counted_page(
            session, window_asked(request.args), request.args, viewer().id, runtime().clock()
        )
    return render_template("studio/people.html", page=shown)


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

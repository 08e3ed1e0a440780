"""Administration: event sources with their write keys, what they send, and what was refused."""

import secrets
from datetime import timedelta
from uuid import UUID

from flask import redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from callcenter import acts
from callcenter.domain.enums import Role
from callcenter.errors import BadInput, CallCenterError
from callcenter.intake import inspector, policy
from callcenter.intake.keys import OLD_KEY_ENDS, SourceLimits
from callcenter.intake.quarantine import Wanted
from callcenter.web.edge import blueprint, frame, roles_required, runtime, viewer
from callcenter.web.pages import sources as page
from callcenter.web.sources_view import source_href, source_page, sources_page

bp = blueprint("admin")


def new_write_key() -> str:
    """Return a key nobody can guess: 192 bits."""
    return secrets.token_urlsafe(24)


def _sources() -> page.SourcesPage:
    with runtime().reading() as session:
        return sources_page(session, runtime().clock())


def _source(source_id: UUID) -> page.SourcePage:
    with runtime().reading() as session:
        return source_page(session, source_id, request.args, runtime().clock())


@bp.get("/admin/sources")
@roles_required(Role.STRATEGIST)
def sources() -> str:
    """Show who sends events."""
    return render_template("admin/sources.html", page=_sources())


@bp.get("/admin/sources/state")
@roles_required(Role.STRATEGIST)
def sources_state() -> str:
    """Answer with the sources as they are now."""
    return render_template("admin/_sources.html", page=_sources())


@bp.get("/admin/sources/<uuid:source_id>")
@roles_required(Role.STRATEGIST)
def source(source_id: UUID) -> str:
    """Show one source: `show` is events, schema, rejected or settings; `event`, `refused`, `code` choose."""
    return render_template("admin/source.html", page=_source(source_id))


@bp.get("/admin/sources/<uuid:source_id>/state")
@roles_required(Role.STRATEGIST)
def source_state(source_id: UUID) -> str:
    """Answer with the source as it is now."""
    return render_template("admin/_source.html", page=_source(source_id))


@bp.get("/admin/sources/new")
@roles_required()
def new_source() -> str:
    """Show the form of a new source."""
    return render_template(
        "admin/new_source.html", page=page.NewSourcePage(frame("sources"), policy.MAX_REQUESTS_PER_SECOND)
    )


@bp.post("/admin/sources")
@roles_required()
def add_source() -> str | tuple[str, int]:
    """Create a source and show its write key this once; a form that cannot be accepted comes back with why."""
    write_key = new_write_key()
    form = request.form
    try:
        limits = _limits()
        with runtime().unit_of_work() as session:
            made = acts.create_source(
                session, form.get("name", ""), limits, write_key, viewer().id, runtime().clock()
            )
    except CallCenterError as error:
        if error.status not in (400, 409):
            raise
        again = page.NewSourcePage(
            frame("sources"),
            policy.MAX_REQUESTS_PER_SECOND,
            name=form.get("name", ""),
            lateness=form.get("lateness", ""),
            requests=form.get("requests", ""),
            error=error.message,
        )
        return render_template("admin/new_source.html", page=again), error.status
    return _new_key(made.id, made.name, write_key, is_new_source=True)


@bp.post("/admin/sources/<uuid:source_id>/keys")
@roles_required()
def rotate_key(source_id: UUID) -> str:
    """Make a new write key and show it this once; `old` says when the keys before it end."""
    span = OLD_KEY_ENDS.get(request.form.get("old", ""))
    if span is None:
        raise BadInput(gettext("Choose when the old keys end."))
    write_key, now = new_write_key(), runtime().clock()
    with runtime().unit_of_work() as session:
        had_keys = any(
            key.ends_at is None or key.ends_at > now for key, _ in inspector.keys_of(session, source_id)
        )
        made = acts.rotate_key(session, source_id, write_key, now + span, viewer().id, now)
    return _new_key(made.id, made.name, write_key, old=span if had_keys else None)


def _new_key(
    source_id: UUID, name: str, write_key: str, *, is_new_source: bool = False, old: timedelta | None = None
) -> str:
    shown = page.NewKeyPage(
        frame=frame("sources"),
        source=name,
        href=source_href(source_id),
        write_key=write_key,
        address=runtime().settings.public_base_url.rstrip("/"),
        is_new_source=is_new_source,
        old_keys_end_at=None if old is None else runtime().clock() + old,
    )
    return render_template("admin/new_key.html", page=shown)


@bp.post("/admin/sources/<uuid:source_id>/keys/<int:key_id>/end")
@roles_required()
def end_key(source_id: UUID, key_id: int) -> str | AnyResponse:
    """End a write key now; senders that still use it are refused."""
    with runtime().unit_of_work() as session:
        acts.end_key(session, source_id, key_id, viewer().id, runtime().clock())
    return _back_to(source_id, "settings")


@bp.post("/admin/sources/<uuid:source_id>/<any(enable,disable):act>")
@roles_required()
def switch_source(source_id: UUID, act: str) -> str | AnyResponse:
    """Switch a source on or off."""
    with runtime().unit_of_work() as session:
        acts.switch_source(session, source_id, viewer().id, runtime().clock(), enabled=act == "enable")
    return _back_to(source_id, "settings")


@bp.post("/admin/sources/<uuid:source_id>/limits")
@roles_required()
def set_source(source_id: UUID) -> str | AnyResponse:
    """Change how late events may come and how often the source may ask."""
    limits = _limits()
    with runtime().unit_of_work() as session:
        acts.set_source(session, source_id, limits, viewer().id, runtime().clock())
    return _back_to(source_id, "settings")


@bp.post("/admin/sources/<uuid:source_id>/rejected/<any(redrive,dismiss):act>")
@roles_required()
def settle_refused(source_id: UUID, act: str) -> str | AnyResponse:
    """Drive refused events in again or dismiss them: one (`refused`) or all of one reason (`code`)."""
    raw = request.form.get("refused", "")
    code = request.form.get("code") or None
    if raw and (not raw.isdigit() or len(raw) > 18):
        raise BadInput(gettext("That number is not one. Reload the page and try again."))
    if code is not None and not code.isidentifier():
        raise BadInput(gettext("There is no such reason. Reload the page and try again."))
    wanted = Wanted(source_id, (int(raw),) if raw else (), code)
    settle = acts.redrive if act == "redrive" else acts.dismiss_refused
    with runtime().unit_of_work() as session:
        settle(session, wanted, viewer().id, runtime().clock())
    return _back_to(source_id, "rejected")


def _limits() -> SourceLimits:
    """Read lateness and requests per second from the form; raises BadInput."""
    requests = request.form.get("requests", "").strip()
    try:
        return SourceLimits(float(request.form.get("lateness", "")), int(requests) if requests else None)
    except ValueError:
        raise BadInput(gettext("Lateness and requests per second are numbers.")) from None


def _back_to(source_id: UUID, show: str) -> str | AnyResponse:
    if not request.headers.get("HX-Request"):
        return redirect(f"{source_href(source_id)}?show={show}")
    with runtime().reading() as session:
        shown = source_page(session, source_id, {"show": show}, runtime().clock())
    return render_template("admin/_source.html", page=shown)

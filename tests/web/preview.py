"""Look at the sample pages in a browser: python -m tests.web.preview PORT

/?page=console-talking&lang=zh&theme=dark shows one; / alone lists them.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from flask import Flask, Response, redirect, render_template, request
from flask_babel import Babel
from werkzeug.wrappers import Response as Reply

import callcenter
from callcenter.web.counts import count_in_templates
from callcenter.web.formats import FILTERS
from tests.web.sample_pages import sample, states

CSP = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"


def create_preview(translations: Path | None = None) -> Flask:
    """A Flask app that knows the templates and the samples, and nothing else."""
    package = Path(callcenter.__file__).parent
    app = Flask(
        "callcenter.preview",
        template_folder=str(package / "templates"),
        static_folder=str(package / "static"),
        static_url_path="/static",
    )
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(translations or package / "translations")
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals["icons_url"] = f"{app.static_url_path}/vendor/icons.svg"
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    Babel(  # type: ignore[no-untyped-call]
        app, locale_selector=_language, timezone_selector=lambda: ZoneInfo("Asia/Shanghai")
    )
    count_in_templates(app.jinja_env)

    @app.get("/")
    def page() -> str:
        name = request.args.get("page")
        if name is None:
            return "".join(f'<p><a href="/?page={state}">{state}</a></p>' for state in states())
        template, _, model = sample(name, _language(), request.args.get("theme", "light"))
        return render_template(template, page=model)

    @app.get("/<any(console,floor):screen>/state")
    def state(screen: str) -> str:
        name = (
            request.args.get("page")
            or _shown()
            or {"console": "console-talking", "floor": "floor-full"}[screen]
        )
        _, fragment, model = sample(name, _language(), "light")
        return render_template(fragment, page=model)

    @app.get("/live/<screen>")
    def live(screen: str) -> Response:
        def stream() -> Iterator[str]:
            for _ in range(60):
                yield ": still here\n\n"
                time.sleep(5)

        return Response(stream(), mimetype="text/event-stream")

    @app.post("/<path:anything>")
    def act(anything: str) -> Reply | tuple[str, int]:
        if anything.endswith("/dial"):
            return "It is being dialled already.", 409
        if _shown().startswith("console-phone-"):
            return redirect("/console/state")
        return redirect("/console/state?page=console-talking")

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = CSP
        return response

    return app


def _shown() -> str:
    """The sample on the page that asks."""
    return parse_qs(urlsplit(request.headers.get("Referer", "")).query).get("page", [""])[0]


def _language() -> str:
    referred = parse_qs(urlsplit(request.headers.get("Referer", "")).query)
    return request.args.get("lang") or referred.get("lang", ["en"])[0]


if __name__ == "__main__":
    create_preview().run(port=int(sys.argv[1]), threaded=True)

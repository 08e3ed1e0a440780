"""The control page: live calls with buttons for the far end, rooms, faults, the clock, both logs.

Self-contained, light and dark. Its parts lie beside this file and are put together when it is served.
"""

import json
import secrets
from functools import cache
from html import escape
from pathlib import Path

from werkzeug.wrappers import Response

from .faults import SWITCHES, TIMED

HERE = Path(__file__).parent


@cache
def _page() -> str:
    """Everything but the nonce."""
    known = [[name, False] for name in SWITCHES] + [[name, True] for name in TIMED]
    text = (HERE / "page.html").read_text(encoding="utf-8").replace("KNOWN", escape(json.dumps(known)))
    for place, name in (("STYLE", "page.css"), ("SCRIPT", "page.js")):
        text = text.replace(place, (HERE / name).read_text(encoding="utf-8"))
    return text


def control_page() -> Response:
    """The page, with a policy under which nothing but its own script and style runs, and no framing."""
    nonce = secrets.token_urlsafe(16)
    response = Response(_page().replace("NONCE", nonce), content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response

"""What the browser SDKs fetch before their first event: where to send, and nothing to load besides."""

from typing import Any

from callcenter.models import EventSource
from callcenter.web.collector_requests import admit, bp, slow_down, write_key_sent
from callcenter.web.edge import runtime


@bp.get("/v1/projects/<write_key>/settings")
def settings(write_key: str) -> dict[str, Any]:
    """Segment's analytics.js: only our own destination, no remote code, no figures about the SDK itself."""
    _known(write_key)
    return {
        "integrations": {"Segment.io": {"apiKey": write_key}},
        "plan": {},
        "edgeFunction": {},
        "metrics": {"sampleRate": 0},
    }


@bp.get("/sourceConfig/")
def source_config() -> dict[str, Any]:
    """RudderStack's browser SDK: an enabled source without destinations; reports about the SDK stay off."""
    write_key = write_key_sent()
    source = _known(write_key)
    off = {"enabled": False}
    return {
        "source": {
            "id": str(source.id),
            "name": source.name,
            "writeKey": write_key,
            "enabled": True,
            "workspaceId": "callcenter",
            "config": {"statsCollection": {"errors": off, "metrics": off}},
            "destinations": [],
            "dataplanes": {},
            "connections": [],
        },
        "updatedAt": source.created_at.isoformat(),
    }


def _known(write_key: str | None) -> EventSource:
    slow_down(write_key, runtime().clock())
    with runtime().reading() as session:
        return admit(session, write_key)

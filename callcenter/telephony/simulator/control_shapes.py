"""The JSON of the control face: a call and a room as the simulator sees them."""

from datetime import datetime
from typing import Any

from .records import Call, Conference


def call_json(call: Call, now: datetime) -> dict[str, Any]:
    return {
        "sid": call.sid,
        "to": call.order.to,
        "from": call.order.caller,
        "status": call.status.value,
        "created_at": iso(call.created_at),
        "ringing_at": iso(call.ringing_at),
        "answered_at": iso(call.answered_at),
        "answered_by": call.answered_by,
        "joined_room_at": iso(call.joined_room_at),
        "room": call.room,
        "hears": call.hears(),
        "ended_at": iso(call.ended_at),
        "duration_s": round(call.duration_s(now), 3),
        "talked_s": round(call.talking_s(now), 3),
        "ended_by": call.ended_by.value if call.ended_by else None,
        "seq": call.seq,
    }


def room_json(room: Conference) -> dict[str, Any]:
    return {
        "sid": room.sid,
        "name": room.name,
        "status": room.status,
        "recorded": room.recording_order is not None,
        "legs": [
            {
                "call": person.call_sid,
                "label": person.label,
                "muted": person.muted,
                "hold": person.hold,
                "coaching": person.coaching,
                "joined": person.call_sid in room.participants,
            }
            for person in [*room.participants.values(), *room.expected.values()]
        ],
    }


def iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds") if moment else None

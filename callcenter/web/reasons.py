"""Why events are refused and what to do about it, in the viewer's words."""

from flask_babel import lazy_gettext as _l

_ADVICE = {
    "not_an_object": (_l("Not an object"), _l("Send each event as a JSON object.")),
    "not_json": (_l("Not JSON"), _l("Send only what JSON can say.")),
    "not_finite": (_l("Not a finite number"), _l("Leave NaN and Infinity out.")),
    "unknown_type": (_l("Unknown type"), _l("Set type to track, page, screen, identify, group or alias.")),
    "no_user_anon_id": (_l("Nobody named"), _l("Give userId, or anonymousId before sign-in.")),
    "no_event_name": (_l("No event name"), _l("Give each track call its event.")),
    "wrong_type": (_l("Wrong type of a member"), _l("The message names the member and what it must be.")),
    "bad_id": (_l("Id not usable"), _l("Ids are text of at most 256 characters.")),
    "bad_message_id": (_l("Message id not usable"), _l("messageId is text of at most 100 characters.")),
    "bad_time": (_l("Time not readable"), _l("Send ISO 8601 with a zone; check the sender's clock.")),
    "event_too_large": (_l("Too large"), _l("Send less: an event may have 32 KB.")),
    "nested_too_deep": (_l("Nested too deep"), _l("Flatten the properties.")),
    "too_many_properties": (_l("Too many properties"), _l("Send fewer properties.")),
    "nul_character": (
        _l("Character U+0000"),
        _l("Take U+0000 out of the texts; it often shows a damaged file."),
    ),
    "missing_attribute": (_l("Attribute missing"), _l("CloudEvents need id, source, type and subject.")),
    "unknown_specversion": (_l("Unknown specversion"), _l("Send CloudEvents 1.0.")),
    "invalid_phone": (
        _l("Telephone not valid"),
        _l("Send it in international form (+86...). The rest was taken; without a number nobody is called."),
    ),
    "unknown_time_zone": (
        _l("Time zone not known"),
        _l("Send an IANA zone such as Asia/Shanghai. The rest was taken; without a zone nobody is called."),
    ),
    "poison": (
        _l("Breaks processing"),
        _l("The fault is ours: tell whoever runs this. When it is mended, take the events in again."),
    ),
    "bad_customer": (_l("Customer not usable"), _l("Mend the row, or the mapping's customer column.")),
    "no_activity": (_l("Activity empty"), _l("Mend the row, or the mapping's activity column.")),
    "no_zone": (_l("Time without a zone"), _l("Set time.zone in the mapping and import the file again.")),
    "future_time": (_l("Time in the future"), _l("Check time.format and time.zone in the mapping.")),
    "bad_encoding": (_l("Wrong encoding"), _l("Set encoding in the mapping and import the file again.")),
    "bad_number": (_l("Not a number"), _l("Mend the column, or its type in the mapping.")),
    "bad_quotes": (_l("Quotes do not close"), _l("Mend the quotes in this row of the file.")),
}


def reason_label(code: str) -> str:
    """A refusal's code in words; an unknown one readable."""
    return str(_ADVICE[code][0]) if code in _ADVICE else code.replace("_", " ").capitalize()


def reason_advice(code: str) -> str | None:
    """What to do about it; None when the collector's own message must do."""
    return str(_ADVICE[code][1]) if code in _ADVICE else None

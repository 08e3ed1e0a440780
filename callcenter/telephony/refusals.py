"""What Twilio's error codes mean to us. Unknown codes mean CONFIG: stop and let a person look.

Twilio changes codes and advises against much logic on them, so only those are named that change what we do.
"""

from callcenter.domain.ports import RefusalClass
from callcenter.telephony.twilio_http import Failure, Refused

_BY_CLASS: dict[RefusalClass, tuple[int, ...]] = {
    RefusalClass.INVALID_DESTINATION: (21201, 21211, 21214, 21217, 13223, 13224),
    RefusalClass.BLOCKED_DESTINATION: (21215, 13227, 21216, 13225, 32205, 21202, 21203),
    RefusalClass.CALLER_ID: (21210, 21212, 21213, 13214, 13247, 32017),
    RefusalClass.CONFIG: (20003, 10001, 20005, 10002, 21219, 21205, 21218, 21609, 21626, 21262, 21263),
    RefusalClass.RATE: (20429,),
    RefusalClass.CAPACITY: (10004, 16020, 16021),
    RefusalClass.STATE: (21220, 20404, 16025, 16026, 16027),
}
_CLASS_OF = {code: refusal for refusal, codes in _BY_CLASS.items() for code in codes}
_GONE = frozenset({21220, 20404})
"""The call has ended, or there is no such call, room or participant: a race, and nothing to do."""


def refusal_of(code: int | None) -> RefusalClass:
    """Return the class of a Twilio error code."""
    return _CLASS_OF.get(code or 0, RefusalClass.CONFIG)


def is_gone(failure: Failure) -> bool:
    """Whether what was to be changed is not there any more."""
    return isinstance(failure, Refused) and (failure.status == 404 or failure.code in _GONE)

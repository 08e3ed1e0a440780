"""The newest act on the floor, in the viewer's words."""

from collections.abc import Mapping

from flask_babel import gettext

from callcenter.reporting.alarms import LastAct
from callcenter.web.edge import viewer
from callcenter.web.formats import label, time_of_day


def act_words(act: LastAct, titles: Mapping[str, str]) -> str | None:
    """The newest act on the floor: who did what, to whom and when."""
    if act.at is None:
        return None
    is_own = act.user_id == str(viewer().id)
    words = {
        "who": gettext("You") if is_own else act.by_name or gettext("Somebody"),
        "name": act.agent_name or gettext("an agent"),
        "mode": label(act.mode),
        "campaign": titles.get(act.subject, act.subject),
        "time": time_of_day(act.at),
        "n": act.changed or 0,
    }
    if act.act == "agent.freed":
        if is_own:
            return gettext("You freed %(name)s at %(time)s. Acts are logged.", **words)
        return gettext("%(who)s freed %(name)s at %(time)s. Acts are logged.", **words)
    texts = {
        "agent.set": gettext("%(time)s %(who)s set %(name)s to: %(mode)s. Acts are logged.", **words),
        "watch.begun": gettext("%(time)s %(who)s: %(mode)s, call of %(name)s. Acts are logged.", **words),
        "watch.changed": gettext("%(time)s %(who)s: %(mode)s, call of %(name)s. Acts are logged.", **words),
        "watch.left": gettext("%(time)s %(who)s left the call of %(name)s. Acts are logged.", **words),
        "campaign.set": gettext("%(time)s %(who)s set %(campaign)s to %(mode)s. Acts are logged.", **words),
        "campaign.paused": gettext("%(time)s %(who)s paused %(campaign)s. Acts are logged.", **words),
        "campaign.resumed": gettext("%(time)s %(who)s let %(campaign)s go on. Acts are logged.", **words),
        "campaign.hours": gettext(
            "%(time)s %(who)s set the hours of %(campaign)s. Acts are logged.", **words
        ),
        "tasks.assigned": gettext("%(time)s %(who)s assigned %(n)s call tasks. Acts are logged.", **words),
        "tasks.expired": gettext("%(time)s %(who)s let %(n)s call tasks expire. Acts are logged.", **words),
        "tasks.brought_back": gettext("%(time)s %(who)s brought %(n)s call tasks back.", **words),
        "tasks.restored": gettext("%(time)s %(who)s undid an act on call tasks.", **words),
        "dialing.allowed": gettext("%(time)s %(who)s switched automatic dialing on.", **words),
        "dialing.stopped": gettext("%(time)s %(who)s switched automatic dialing off.", **words),
    }
    return texts.get(act.act)

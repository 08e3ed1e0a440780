"""Every proposal as CSV: figures unrounded, codes in English, times in UTC."""

import csv
from io import StringIO

from sqlmodel import Session

from callcenter.learning.proposal_queries import proposals
from callcenter.models import Proposal
from callcenter.reporting.rule_people import names_of
from callcenter.web.files import harmless

MOST = 10_000
TOLD = ("wait_now", "wait", "share_now", "share", "variant", "effective_sample")
LOAD = ("fired_now", "fired", "days")
COLUMNS = (
    *("proposal", "rule", "kind", "state", "made_at", "state_at", "decided_by", "reason"),
    *("wait_now_s", "wait_s", "holdout_now", "holdout", "variant", "effective_sample"),
    *("gain_low", "gain", "gain_high", "gain_unit", "fired_now", "fired", "load_days", "canary_verdict"),
)


def proposals_csv(session: Session) -> str:
    """Return the latest proposals, the gain of a wait in conversions an agent-hour, of others in shares."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    found = proposals(session, MOST)
    names = names_of(session, [one.decided_by for one in found])
    for one in found:
        by = names.get(one.decided_by, "") if one.decided_by else ""
        writer.writerow(_cells(one, by))
    return out.getvalue()


def _cells(one: Proposal, by: str) -> list[object]:
    told, load = one.evidence, one.evidence.get("load") or {}
    robust = told.get("gain", {}).get("dr")
    gain = robust["per_hour"] if robust else told.get("difference") or ("", "", "")
    unit = "conversions_per_agent_hour" if robust else "share_of_customers" if gain[0] != "" else ""
    return [
        *(one.id, one.rule_key, one.kind, one.state, one.made_at.isoformat(), one.state_at.isoformat()),
        *(harmless(by), harmless(one.reason)),
        *(told.get(name, "") for name in TOLD),
        *gain,
        unit,
        *(load.get(name, "") for name in LOAD),
        one.canary.get("verdict", ""),
    ]

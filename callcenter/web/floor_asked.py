"""What of the floor a viewer asks for: whose seats, which campaign and day, grouped or not.

Those who ask for the same share one floor, so whatever is only one viewer's (what they search for) is not in it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

DAYS = range(7)
"""Today and the six days before it: a day of each weekday."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for; None and 0 are all teams, all campaigns and today."""

    team: str | None = None
    campaign: str | None = None
    days_ago: int = 0
    by_rule: bool = False

    def checked(self, teams: Collection[str], campaigns: Collection[str]) -> "Asked":
        """Return itself without a team or campaign that is not there."""
        return replace(
            self,
            team=self.team if self.team in teams else None,
            campaign=self.campaign if self.campaign in campaigns else None,
        )

    def query(self) -> str:
        """Return itself as the query of an address, empty for the whole floor of today."""
        told = {
            "team": self.team or "",
            "campaign": self.campaign or "",
            "day": str(self.days_ago or ""),
            "group": "rule" if self.by_rule else "",
        }
        found = {name: value for name, value in told.items() if value}
        return f"?{urlencode(found)}" if found else ""

    def href(self, **changes: Any) -> str:
        """Return the floor's address with one thing asked differently."""
        return f"/floor{replace(self, **changes).query()}"


EVERYTHING = Asked()


def asked_of(values: Mapping[str, str]) -> Asked:
    """Read what an address asks for; what makes no sense is left out."""
    day = values.get("day", "")
    return Asked(
        team=values.get("team") or None,
        campaign=values.get("campaign") or None,
        days_ago=int(day) if day in {str(ago) for ago in DAYS} else 0,
        by_rule=values.get("group") == "rule",
    )

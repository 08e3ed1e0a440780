"""Stage: what agents and teams are to reach, and the points it is worth."""

"""Stage: how well calls were handled. Scorecards, which call to review next, reviews."""

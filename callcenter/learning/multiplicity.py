"""Which of many verdicts hold together. Evidence in, keys out; pure."""

from collections.abc import Mapping

FALSE_AMONG_FOUND = 0.10
"""The share of false ones that is borne among the verdicts that hold together."""


def hold_together(evidence: Mapping[str, float], level: float = FALSE_AMONG_FOUND) -> frozenset[str]:
    """Return the keys whose evidence holds although so many were looked at.

    The e-BH procedure of R. Wang and A. Ramdas ("False discovery rate control with e-values", Journal of
    the Royal Statistical Society B 84, 2022): with `m` e-values in falling order the largest `k` with
    `e_(k) >= m / (level k)` is sought, and those `k` hold. Among them at most `level` are expected to be
    false, however the rules depend on each other and however often one looks. Raises ValueError for a level
    outside (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError("the level must lie strictly between 0 and 1")
    falling = sorted(evidence, key=lambda key: (-evidence[key], key))
    kept = 0
    for place, key in enumerate(falling, 1):
        if evidence[key] >= len(falling) / (level * place):
            kept = place
    return frozenset(falling[:kept])

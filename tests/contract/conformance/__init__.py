"""What every carrier must keep of `callcenter.domain.ports`, told once and run against each.

A promise is a function that takes a `Bench`; `promises.py` lists them. A carrier's author writes a bench, which
plays the far end, the troubles on the wire and the product's answers, and runs (see docs/carriers.md):

    CONFORMANCE_BENCH=package.module:factory .venv/bin/pytest tests/contract/conformance
"""

import pytest

# What a broken promise prints is what its author reads.
pytest.register_assert_rewrite(
    *(
        f"{__name__}.{part}"
        for part in ("bench", "scenes", "about_calls", "about_callbacks", "about_rooms", "about_extras")
    )
)

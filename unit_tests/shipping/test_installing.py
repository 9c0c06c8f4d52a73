"""What `make install` says while it takes minutes."""

from __future__ import annotations

from shipping import installing


def test_how_far_an_installation_is() -> None:
    lines = [
        "Ignoring colorama: markers",
        "Collecting a==1 (from -r x)",
        "  Using cached",
        "Processing /wheels/b-1.whl",
    ]
    told = installing.progress([*lines, "Installing collected packages: a, b"], 3)
    assert list(told) == ["1 of 2: a==1", "2 of 2: b-1.whl", "2 of 2: unpacking"]

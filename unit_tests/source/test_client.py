"""How long a request is tried again, by what fails and by what others do meanwhile."""

from __future__ import annotations

import pytest

from source_vitally.client import FEW_RETRIES, RETRIES, Patience

USUAL, ONE_OF_MANY, DOUBTFUL = Patience(), Patience(one_of_many=True), Patience(doubtful=True)


@pytest.mark.parametrize(
    ("patience", "status", "others_succeed", "retries"),
    [
        (USUAL, 500, True, RETRIES),
        (ONE_OF_MANY, 500, False, RETRIES),
        (ONE_OF_MANY, 500, True, FEW_RETRIES),
        (ONE_OF_MANY, None, True, FEW_RETRIES),
        (ONE_OF_MANY, 429, True, RETRIES),
        (DOUBTFUL, 500, False, FEW_RETRIES),
        (DOUBTFUL, 200, False, FEW_RETRIES),
        (DOUBTFUL, 503, True, RETRIES),
        (DOUBTFUL, None, True, RETRIES),
        (DOUBTFUL, 429, True, RETRIES),
        (Patience(2), 503, False, 2),
        (Patience(0, one_of_many=True), 500, True, 0),
    ],
)
def test_how_often_a_request_is_tried_again(
    patience: Patience, status: int | None, others_succeed: bool, retries: int
) -> None:
    tries = next(n for n in range(1, 99) if patience.has_ended(status, n, others_succeed))
    assert tries - 1 == retries

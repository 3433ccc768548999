"""Close codes say whether to come back."""

import pytest

from schemas.close_codes import CLOSE_REASONS, CloseCode, means_reconnect


@pytest.mark.parametrize("code", CloseCode)
def test_every_code_has_a_reason_that_fits_into_a_close_frame(code: CloseCode) -> None:
    assert 0 < len(CLOSE_REASONS[code].encode()) <= 123


def test_what_a_code_means_is_told_by_its_range() -> None:
    coming_back = {code for code in range(1_000, 5_000) if means_reconnect(code)}
    assert coming_back == {1001, 1006, 1011, 1012, 1013, *range(4_000, 4_500)}

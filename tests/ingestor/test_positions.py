"""Positions as text on frames."""

import pytest

from ingestor.positions import PositionText
from schemas.errors import StopAndSayError

_OPTIONS = {"source": "replay", "start": "2010-01-04", "loop": "off"}


def test_a_position_comes_back_from_its_text() -> None:
    positions = PositionText(_OPTIONS)
    assert positions.write((0, 12, 3)) == "source=replay;start=2010-01-04;loop=off@0.12.3"
    assert positions.read(positions.write((0, 12, 3))) == (0, 12, 3)


def test_kept_data_of_other_options_is_refused_with_the_option_and_fresh() -> None:
    kept = PositionText({**_OPTIONS, "start": "2009-01-02"}).write((0, 1))
    with pytest.raises(StopAndSayError, match=r"start 2009-01-02, not 2010-01-04.*--fresh") as refused:
        PositionText(_OPTIONS).read(kept)
    assert "\n" not in str(refused.value)
    assert "loop" not in str(refused.value)


def test_an_option_that_only_one_side_has_is_a_difference() -> None:
    with pytest.raises(StopAndSayError, match="end unset, not 2011-01-01"):
        PositionText({**_OPTIONS, "end": "2011-01-01"}).read(PositionText(_OPTIONS).write((1,)))


@pytest.mark.parametrize("text", ["", "17", "@", "a@1", "source=replay@x.1", "source=replay@"])
def test_a_text_that_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(StopAndSayError, match="--fresh"):
        PositionText(_OPTIONS).read(text)

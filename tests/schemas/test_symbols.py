import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import DeadLetterError
from schemas.symbols import TICKER_PATTERN, InvalidTickerError, is_ticker, normalise_ticker


@pytest.mark.parametrize("ticker", ["A", "AAPL", "BRK.B", "BF-B", "X1", "ABCDEFGHIJ"])
def test_symbols(ticker: str) -> None:
    assert is_ticker(ticker)
    assert normalise_ticker(f" {ticker.lower()}\n") == ticker


@pytest.mark.parametrize(
    "text", ["", " ", "1A", ".A", "A B", "ABCDEFGHIJK", "AAPL\nX", "A/B", "*", "ÄÖ", "ß", "ﬁ", "\u0131", "A\0"]
)
def test_what_is_no_symbol_is_refused_with_the_fix(text: str) -> None:
    assert not is_ticker(text)
    with pytest.raises(InvalidTickerError, match="use a letter and up to nine of"):
        normalise_ticker(text)


def test_lower_case_is_a_symbol_only_after_normalising() -> None:
    assert not is_ticker("aapl")
    assert not is_ticker("AAPL\n")


@given(st.text(max_size=14))
def test_normalising_gives_a_symbol_or_refuses(text: str) -> None:
    try:
        ticker = normalise_ticker(text)
    except InvalidTickerError:
        return
    assert re.fullmatch(TICKER_PATTERN, ticker)
    assert ticker.lower() == text.strip().lower()


def test_a_long_text_is_cut_in_the_message() -> None:
    with pytest.raises(InvalidTickerError) as caught:
        normalise_ticker("A" * 10_000)
    assert len(str(caught.value)) < 200


def test_a_wrong_symbol_belongs_into_dead_letters() -> None:
    assert issubclass(InvalidTickerError, DeadLetterError)
    assert issubclass(InvalidTickerError, ValueError)

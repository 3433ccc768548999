"""Dead letters as they are read back, chosen and shown. No broker."""

import json
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.dead_letters.arguments import parse
from ingestor.dead_letters.letter import Letter, read_letter
from ingestor.dead_letters.selection import Selection, each_once, named
from ingestor.dead_letters.text import pretty_value, row_of, rows_json, safe, table, totals_line
from schemas.codec import Headers, encode
from schemas.dead_letters import DeadLetter
from tests.ingestor.letters import letter_of, tick_frame

_TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@given(
    origin=_TEXT,
    reason=_TEXT,
    places=st.tuples(*[st.none() | st.integers(0, 2**40)] * 3),
    position=st.none() | _TEXT,
    value=st.binary(max_size=20),
)
def test_a_letter_is_read_as_it_was_written(
    origin: str, reason: str, places: tuple[int | None, ...], position: str | None, value: bytes
) -> None:
    partition, offset, index = places
    place = {"partition": partition, "offset": offset, "index": index, "position": position}
    written = DeadLetter(value=value, reason=reason, origin=origin, key=b"AAPL", **place)  # type: ignore[arg-type]
    read = letter_of(written)
    assert (read.id, read.value, read.key) == (written.id, value, b"AAPL")
    assert (read.reason, read.origin) == (reason, origin)
    assert {name: getattr(read, name) for name in place} == place


@pytest.mark.parametrize("headers", [None, [], [("dead_letter_partition", b"x\xff"), ("other", None)]])
def test_a_record_of_somebody_elses_is_a_letter_named_by_its_place(headers: Headers | None) -> None:
    read = read_letter(headers, None, None, (2, 7), 5)
    assert (read.id, read.value, read.reason, read.partition) == ("dead-letters:2:7", b"", "", None)


@pytest.mark.parametrize(
    ("value", "tickers"),
    [
        (encode(tick_frame(("AAPL", 1, 2.0, 3.0), ("IBM", 1, 2.0, 3.0), ("AAPL", 2, 2.0, 3.0))), ["AAPL", "IBM"]),
        (b'{"tickers": ["AAPL", 7, null], "prices": [NaN]}', ["AAPL"]),
        (b'{"ticker": "AAPL", "price": -1}', ["AAPL"]),
        (b'{"tickers": "AAPL"}', []),
        (b'["AAPL"]', []),
        (b"AAPL,x,1", []),
        (b"[" * 100_000, []),
        (b"\xff\xfe", []),
    ],
)
def test_the_tickers_are_named_as_far_as_they_can_be_read(value: bytes, tickers: list[str]) -> None:
    assert letter_of(DeadLetter(value=value, reason="r", origin="ticks")).tickers == tickers


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("undecodable: TickFrame: JSON is malformed", "undecodable"),
        ("price: not a positive finite number (from 1e-12 to 1e15)", "price"),
        ("late", "late"),
        ("price -1.0 is not a positive number", "price"),
        ("timestamp: 'x' is not a time", "timestamp"),
        ("no further tick confirmed the jump", "other"),
        ("", ""),
    ],
)
def test_reasons_are_counted_by_few_words(reason: str, kind: str) -> None:
    assert letter_of(DeadLetter(value=b"", reason=reason, origin="ticks")).kind == kind


def _letter(number: int = 0, *, reason: str = "late", ticker: str = "AAPL", at_ns: int = 0) -> Letter:
    value = encode(tick_frame((ticker, 1, 2.0, 3.0)))
    written = DeadLetter(value=value, reason=reason, origin="ticks", partition=0, offset=number, index=0)
    return letter_of(written, at_ns=at_ns)


def test_each_filter_holds_by_itself_and_all_hold_together() -> None:
    letter = _letter(reason="Price: no", ticker="AAPL", at_ns=1_000)
    all_of_it = Selection(reason="price", ticker="AAPL", since_ns=1_000)
    assert Selection().takes(letter)
    assert all_of_it.takes(letter)
    for other in (_letter(reason="no"), _letter(reason="price", ticker="IBM"), _letter(reason="price", at_ns=999)):
        assert not all_of_it.takes(other)
    assert not Selection(reason="no").takes(letter)
    assert not Selection(ticker="IBM").takes(letter)
    assert not Selection(since_ns=1_001).takes(letter)


def test_what_was_sent_again_is_one_letter(rng: random.Random) -> None:
    letters = [_letter(rng.randrange(20)) for _ in range(200)]
    ids = [letter.id for letter in each_once(letters)]
    assert ids == list(dict.fromkeys(letter.id for letter in letters))


def test_named_letters_are_given_once_and_reading_ends_with_the_last() -> None:
    letters = iter([_letter(number) for number in (1, 2, 2, 3, 4)])
    missing = {_letter(2).id, _letter(3).id}
    assert [letter.offset for letter in named(letters, missing)] == [2, 3]
    assert not missing
    assert next(letters).offset == 4
    missing = {"nothing"}
    assert list(named(letters, missing)) == []
    assert missing == {"nothing"}


_HOSTILE = "\x1b[2J\u202e\r\nx\x00é"


def _hostile() -> Letter:
    value = json.dumps({"tickers": [_HOSTILE], "times_ns": [_HOSTILE], "prices": [2**80], "sizes": [None]}).encode()
    return letter_of(DeadLetter(value=value, reason=_HOSTILE, origin=_HOSTILE, position=_HOSTILE))


@given(st.text())
def test_no_text_of_a_letter_moves_the_cursor(text: str) -> None:
    assert safe(text).isprintable()


def test_a_hostile_letter_is_listed_and_shown_as_one_printable_line_each() -> None:
    lines = list(table([row_of(_hostile()), row_of(_letter())]))
    assert len(lines) == 3
    assert all(line.isprintable() for line in lines)
    assert all(line.isprintable() for line in pretty_value(_hostile()).splitlines())
    assert pretty_value(letter_of(DeadLetter(value=b"a,\xff\x1b", reason="r", origin="o"))) == r"a,\xff\x1b"


def test_a_table_shows_whole_ids_and_what_a_tick_says() -> None:
    heading, line = table([row_of(_letter(12))])
    assert heading.split() == ["ID", "WHEN", "REASON", "ORIGIN", "TICKERS", "VALUE"]
    assert line.split("  ")[0] == "ticks:0:12:0"
    assert "price 2.0, size 3.0, 1970-01-01T00:00:00.000000001Z" in line


def test_totals_say_how_many_there_are_and_how_many_are_not_shown() -> None:
    totals = Counter({"late": 3, "price": 1, "": 1})
    assert totals_line(totals, 5) == "5 dead letters: 3 late, 1 price, 1 without a reason"
    assert totals_line(totals, 2).endswith("; the newest 2 are shown, --limit shows more")
    assert totals_line(Counter(), 0) == "no dead letters"
    shown = json.loads(rows_json([row_of(_letter())], Counter(late=7)))
    assert (shown["count"], shown["totals"]) == (7, {"late": 7})
    assert shown["letters"][0]["tickers"] == ["AAPL"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "required"),
        (["replay"], "say which letters"),
        (["replay", "ticks:0:1", "--all"], "not ids and others"),
        (["replay", "ticks:0:1", "--reason", "late"], "not ids and others"),
        (["replay", "--all", "--again"], "name the letters"),
        (["list", "--limit", "0"], "number from 1 up"),
        (["list", "--ticker", "A B"], "not a symbol"),
        (["list", "--since", "yesterday"], "is no time: give a date like"),
        (["list", "--reason", " "], "beginning of a reason"),
    ],
)
def test_what_was_not_meant_is_refused_with_what_is_right(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err

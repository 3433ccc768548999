"""One log of many processes."""

import errno
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.log_lines import Line, LineSplitter, Log, log_to, wants_colour


def _split(*pieces: bytes) -> list[Line]:
    splitter = LineSplitter()
    return [line for piece in pieces for line in splitter.feed(piece)] + splitter.close()


@given(st.lists(st.from_regex(r"\A[a-zäß ]{0,9}[a-zß]\Z"), max_size=8), st.integers(1, 5))
def test_lines_are_the_same_however_the_bytes_are_cut(lines: list[str], size: int) -> None:
    data = "".join(line + "\n" for line in lines).encode()
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert _split(*pieces) == [Line(line.rstrip()) for line in lines]


def test_a_last_line_without_an_end_is_not_lost() -> None:
    assert _split(b"one\ntw", b"o") == [Line("one"), Line("two")]


def test_a_line_that_never_ends_is_cut_and_not_kept_in_memory() -> None:
    splitter = LineSplitter()
    lines = [line for _ in range(20) for line in splitter.feed(b"x" * 10_000)] + splitter.close()
    assert sum(len(line.text) for line in lines) == 200_000
    assert max(len(line.text) for line in lines) < 80_000


def test_the_states_of_a_progress_bar_are_told_from_lines() -> None:
    assert _split(b"\r 10%", b"\r 20%\r", b" 30%\ndone\r\n") == [
        Line(" 10%", progress=True),
        Line(" 20%", progress=True),
        Line(" 30%"),
        Line("done"),
    ]


def test_every_line_carries_its_name() -> None:
    stream = io.StringIO()
    Log(stream, colour=False).show("ingestor", Line("hello"))
    assert stream.getvalue() == "ingestor       | hello\n"


def test_names_have_their_own_colours_which_stay() -> None:
    stream = io.StringIO()
    log = Log(stream, colour=True)
    for number, name in enumerate(("a", "b", "a")):
        log.show(name, Line(f"line {number}"))
    first, second, third = [line.split("m")[0] for line in stream.getvalue().splitlines()]
    assert first == third != second


def test_a_progress_bar_shows_one_state_every_five_seconds_and_its_last_line() -> None:
    stream, now = io.StringIO(), 0.0
    log = Log(stream, colour=False, clock=lambda: now)
    for step in range(12):
        now = float(step)
        log.show("trainer", Line(f"{step} s", progress=True))
    log.show("trainer", Line("done"))
    assert [line.split("| ")[1] for line in stream.getvalue().splitlines()] == ["0 s", "5 s", "10 s", "done"]


@pytest.mark.parametrize("number", [errno.EPIPE, errno.EIO, errno.ENOSPC])
def test_the_system_goes_on_while_its_log_cannot_be_written_and_so_does_the_log_after(number: int) -> None:
    class Failing(io.StringIO):
        fails = True

        def write(self, text: str) -> int:
            if self.fails:
                raise OSError(number, "the terminal is gone, or the disk full")
            return super().write(text)

    stream = Failing()
    log = Log(stream, colour=False)
    log.say("one")
    log.show("ingestor", Line("two"))
    stream.fails = False
    log.show("ingestor", Line("three"))
    assert stream.getvalue() == "ingestor       | three\n"


def test_a_character_that_the_encoding_lacks_is_replaced_and_the_log_goes_on() -> None:
    written = io.BytesIO()
    log = log_to(io.TextIOWrapper(written, encoding="latin-1"))
    log.show("trainer", Line("training … ü"))
    log.show("trainer", Line("done"))
    assert written.getvalue().decode("latin-1").splitlines() == [
        "trainer        | training ? ü",
        "trainer        | done",
    ]


def test_a_file_is_not_coloured() -> None:
    assert not wants_colour(io.StringIO())


def test_a_line_that_repeats_is_shown_now_and_then_with_the_number_of_the_others() -> None:
    stream, now = io.StringIO(), 0.0
    log = Log(stream, colour=False, clock=lambda: now)
    for step in range(101):
        now = step / 10
        log.show("predictor", Line(f"%3|17952009{step:02d}.509|FAIL| connection refused"))
        log.show("gateway", Line(f"18:54:{step % 60:02d} partition {step}"))
    shown = [line for line in stream.getvalue().splitlines() if line.startswith("predictor")]
    assert len(shown) == 2
    assert shown[1].endswith("FAIL| connection refused (99 more like it)")
    assert sum(line.startswith("gateway") for line in stream.getvalue().splitlines()) == 101


def test_the_same_line_of_two_services_is_shown_for_both() -> None:
    stream = io.StringIO()
    log = Log(stream, colour=False)
    for name in ("ingestor", "predictor"):
        log.show(name, Line("no broker"))
    assert len(stream.getvalue().splitlines()) == 2

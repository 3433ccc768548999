"""To which part of the work a sample of a profile belongs."""

import pytest

from benchmarks.profile_shares import OTHER, part_of, read_profile, shares

_AGENT = "ticks_agent.<locals>.absorb_ticks (feature_stream/agents.py:26)"
_RECORD = "Stage._take_record (feature_stream/stage.py:140)"


@pytest.mark.parametrize(
    ("inner", "part"),
    [
        (["read_frame (feature_stream/frames.py:50)", "decoder.<locals>.decode (schemas/codec.py:36)"], "decode"),
        (["absorb (feature_stream/advance.py:24)", "push (feature_stream/indicators/rolling.py:9)"], "absorb"),
        (
            ["provisionals (feature_stream/announce.py:90)", "copy (feature_stream/indicators/window.py:9)"],
            "provisional",
        ),
        (["Outputs.send_features (feature_stream/outputs.py:69)", "encode (schemas/codec.py:25)"], "encode"),
        (["Outputs.send (feature_stream/outputs.py:83)"], "produce"),
    ],
)
def test_a_sample_belongs_to_the_innermost_frame_that_is_known(inner: list[str], part: str) -> None:
    assert part_of(["run (asyncio/runners.py:190)", _AGENT, _RECORD, *inner]) == part


def test_what_faust_calls_in_other_libraries_is_fausts() -> None:
    assert part_of(["Stream._c_aiter (faust/streams.py:1180)", "sleep (asyncio/tasks.py:640)"]) == "Faust, per batch"


def test_what_nobody_claims_is_other() -> None:
    assert part_of(["nothing (somewhere/else.py:1)"]) == OTHER


def test_shares_count_samples() -> None:
    stacks = read_profile([f"{_RECORD};encode (schemas/codec.py:25) 3\n", "unknown 1\n"])
    assert shares(stacks) == {"encode": 0.75, OTHER: 0.25}

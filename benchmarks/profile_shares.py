"""Where a profile's samples belong. Pure; profiles are py-spy's raw ones: `thread;frame;frame… count` a line."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

_FRAME = re.compile(r"(?P<function>.*) \((?P<file>[^()]*?)(:\d+)?\)$")

#: Part of the work, and the functions that are it: a file's end, and a function's name or `*`. A sample belongs to the
#: innermost of its frames that is named here, so what the named ones call and nobody claims counts as theirs.
PARTS: Sequence[tuple[str, str, str]] = (
    ("fetch", "feature_stream/tick_reader.py", "*"),
    ("group and changelog", "aiokafka/", "*"),
    ("decode", "feature_stream/frames.py", "*"),
    ("decode", "feature_stream/tick_columns.py", "*"),
    ("absorb: bars and their features", "feature_stream/bars.py", "*"),
    ("absorb", "feature_stream/advance.py", "*"),
    ("absorb", "feature_stream/judge.py", "*"),
    ("absorb", "feature_stream/quiet_lane.py", "*"),
    ("absorb", "feature_stream/open_columns.py", "*"),
    ("provisional", "feature_stream/announce.py", "provisionals"),
    ("provisional", "feature_stream/stage.py", "_speak"),
    ("provisional", "feature_stream/pacing.py", "*"),
    ("decode", "schemas/codec.py", "decode"),
    ("encode", "schemas/codec.py", "*"),
    ("produce", "feature_stream/outputs.py", "*"),
    ("checkpoint", "feature_stream/checkpoint.py", "*"),
    ("checkpoint", "feature_stream/table.py", "*"),
    ("checkpoint", "feature_stream/stage.py", "cut"),
    ("stage: per frame", "feature_stream/stage.py", "*"),
    ("stage: per frame", "feature_stream/figures.py", "*"),
    ("stage: per frame", "feature_stream/continuity.py", "*"),
    ("group and changelog", "mode/threads.py", "*"),
    ("Faust, per batch", "feature_stream/transport.py", "*"),
    ("Faust, per batch", "faust/", "*"),
    ("Faust, per batch", "mode/", "*"),
    ("event loop", "asyncio/runners.py", "*"),
    ("service's own turns", "feature_stream/service.py", "*"),
)
OTHER = "other"


def part_of(stack: Sequence[str]) -> str:
    """Say to which part a stack belongs.

    Args:
        stack: Frames as py-spy writes them, outermost first.
    """
    for frame in reversed(stack):
        found = _FRAME.match(frame)
        if found:
            for part, file, function in PARTS:
                if _is_in(found["file"], file) and function in ("*", found["function"].rpartition(".")[2]):
                    return part
    return OTHER


def _is_in(file: str, wanted: str) -> bool:
    if wanted.endswith("/"):
        return f"/{wanted}" in f"/{file}"
    return f"/{file}".endswith(f"/{wanted}")


def read_profile(lines: Iterable[str]) -> Counter[tuple[str, ...]]:
    """Read a raw profile: samples by stack."""
    stacks: Counter[tuple[str, ...]] = Counter()
    for line in lines:
        stack, _, count = line.rstrip("\n").rpartition(" ")
        if stack:
            stacks[tuple(stack.split(";"))] += int(count)
    return stacks


def shares(stacks: Counter[tuple[str, ...]]) -> dict[str, float]:
    """Give each part's share of the samples, the largest first."""
    total = stacks.total()
    counts: Counter[str] = Counter()
    for stack, count in stacks.items():
        counts[part_of(stack)] += count
    return {part: count / total for part, count in counts.most_common()}


def hottest(stacks: Counter[tuple[str, ...]], count: int) -> dict[str, float]:
    """Give the share of the functions that were themselves at work most, callees not counted."""
    total = stacks.total()
    leaves: Counter[str] = Counter()
    for stack, samples in stacks.items():
        leaves[re.sub(r":\d+\)$", ")", stack[-1])] += samples
    return {function: samples / total for function, samples in leaves.most_common(count)}

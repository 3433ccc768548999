import json
import math
import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import UndecodableError, decoder, encode, event_headers, new_traceparent, traceparent_of
from schemas.errors import DeadLetterError
from schemas.events import Bar, Origin, TickFrame

FRAME = TickFrame(
    source="replay", sequence=0, position="", tickers=["A"], times_ns=[1], prices=[1.5], sizes=[0.0], ingested_at_ns=2
)
decode_frame = decoder(TickFrame)

frames = st.lists(
    st.tuples(
        st.from_regex(r"[A-Z]{1,5}", fullmatch=True),
        st.integers(0, 2**63 - 1),
        st.floats(min_value=1e-9, max_value=1e12),
        st.floats(min_value=0, max_value=1e12),
    ),
    max_size=20,
).map(
    lambda rows: msgspec.structs.replace(
        FRAME,
        tickers=[row[0] for row in rows],
        times_ns=[row[1] for row in rows],
        prices=[row[2] for row in rows],
        sizes=[row[3] for row in rows],
    )
)


@given(frame=frames, origin=st.sampled_from(Origin), watermark_ns=st.none() | st.integers(0, 2**63 - 1))
def test_a_frame_comes_back_bit_for_bit(frame: TickFrame, origin: Origin, watermark_ns: int | None) -> None:
    frame = msgspec.structs.replace(frame, origin=origin, watermark_ns=watermark_ns)
    assert decode_frame(encode(frame)) == frame


@given(st.binary(max_size=200))
def test_garbage_is_undecodable_and_nothing_else(garbage: bytes) -> None:
    with pytest.raises(UndecodableError, match=r"^TickFrame: "):
        decode_frame(garbage)


@pytest.mark.parametrize(
    "poison",
    [
        b"",
        b"null",
        b"[]",
        b'{"source":"\xff\xfe"}',
        b'{"sequence": 1e999}',
        b'{"sequence": 1' + b"0" * 6_000 + b"}",
        b"[" * 200_000,
        b'{"unknown":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"unknown":' + b'{"a":' * 200_000,
    ],
)
def test_poison_is_undecodable_and_ends_no_service(poison: bytes) -> None:
    with pytest.raises(UndecodableError, match=r"^TickFrame: "):
        decode_frame(poison)


def test_an_empty_record_says_so() -> None:
    with pytest.raises(UndecodableError, match="TickFrame: the record is empty"):
        decode_frame(None)


def test_what_is_undecodable_belongs_into_dead_letters() -> None:
    assert issubclass(UndecodableError, DeadLetterError)


@pytest.mark.parametrize("field", [field.name for field in msgspec.structs.fields(TickFrame) if field.required])
def test_a_missing_required_field_is_named(field: str) -> None:
    content = json.loads(encode(FRAME))
    del content[field]
    with pytest.raises(UndecodableError, match=f"TickFrame: .*`{field}`"):
        decode_frame(json.dumps(content).encode())


def test_a_wrong_type_is_named_with_its_place() -> None:
    content = json.loads(encode(FRAME)) | {"prices": [1.5, "two"]}
    with pytest.raises(UndecodableError, match=re.escape("`$.prices[1]`")):
        decode_frame(json.dumps(content).encode())


def test_an_unknown_field_is_passed_over() -> None:
    content = json.loads(encode(FRAME)) | {"venue": {"name": "XNAS"}}
    assert decode_frame(json.dumps(content).encode()) == FRAME


@pytest.mark.parametrize("price", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_becomes_null_which_readers_refuse(price: float) -> None:
    written = encode(msgspec.structs.replace(FRAME, prices=[price]))
    assert json.loads(written)["prices"] == [None]
    with pytest.raises(UndecodableError, match="null"):
        decode_frame(written)


def test_json_that_says_nan_is_refused() -> None:
    with pytest.raises(UndecodableError):
        decode_frame(encode(FRAME).replace(b"1.5", b"NaN"))


def test_one_event_is_no_other() -> None:
    with pytest.raises(UndecodableError, match=r"^Bar: "):
        decoder(Bar)(encode(FRAME))


def test_headers_are_cloud_events_in_binary_mode() -> None:
    headers = event_headers("Bar", "feature_stream/1", "AAPL:1d:x", 1_262_649_600_000_000_000)
    assert dict(headers[:-1]) == {
        "ce_specversion": b"1.0",
        "ce_type": b"tickcast.Bar",
        "ce_source": b"/tickcast/feature_stream/1",
        "ce_id": b"AAPL:1d:x",
        "ce_time": b"2010-01-05T00:00:00Z",
        "content-type": b"application/json",
    }
    assert headers[-1][0] == "traceparent"


def test_a_trace_is_carried_on_and_else_begun() -> None:
    carried = dict(event_headers("Bar", "s", "i", 0, "00-" + "a" * 32 + "-" + "b" * 16 + "-01"))
    assert carried["traceparent"] == b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"
    begun = {new_traceparent() for _ in range(100)}
    assert len(begun) == 100
    assert all(re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", trace) for trace in begun)


TRACE = b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"


@pytest.mark.parametrize(
    "headers",
    [
        [("ce_id", b"x"), ("traceparent", TRACE)],
        (("traceparent", None), ("traceparent", TRACE)),
        {"ce_id": b"x", "traceparent": TRACE},
        event_headers("Bar", "s", "i", 0, TRACE.decode()),
    ],
    ids=["pairs", "an empty one before", "mapping", "ours"],
)
def test_the_trace_of_a_record_is_read_however_the_client_gives_headers(headers: Any) -> None:
    assert traceparent_of(headers) == TRACE.decode()


@pytest.mark.parametrize(
    "value",
    [
        *(None, b"", b"\xff" * 400_000, TRACE + b"\n", TRACE.upper(), b" " + TRACE, TRACE[:-1], b"garbage"),
        *(b"ff" + TRACE[2:], TRACE.replace(b"a" * 32, b"0" * 32), TRACE.replace(b"b" * 16, b"0" * 16)),
    ],
)
def test_what_is_not_a_trace_is_none(value: bytes | None) -> None:
    assert traceparent_of([("traceparent", value)]) is None


@pytest.mark.parametrize("headers", [None, [], {}, [("tracestate", TRACE)]])
def test_a_record_without_a_trace_has_none(headers: Any) -> None:
    assert traceparent_of(headers) is None

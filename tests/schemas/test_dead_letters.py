from schemas.dead_letters import DeadLetter


def letter(**place: object) -> DeadLetter:
    return DeadLetter(**({"value": b"raw", "reason": "why", "origin": "ticks"} | place))  # type: ignore[arg-type]


def test_headers_say_where_from_and_why() -> None:
    assert letter(key=b"AAPL", partition=2, offset=0, index=0).headers() == [
        ("dead_letter_id", b"ticks:2:0:0"),
        ("dead_letter_origin", b"ticks"),
        ("dead_letter_partition", b"2"),
        ("dead_letter_offset", b"0"),
        ("dead_letter_index", b"0"),
        ("dead_letter_reason", b"why"),
    ]


def test_a_letter_of_the_ingestor_has_a_source_and_a_position() -> None:
    headers = dict(letter(origin="source:file", position="17", reason="Preis fehlt: €").headers())
    assert headers == {
        "dead_letter_id": b"source:file:17",
        "dead_letter_origin": b"source:file",
        "dead_letter_position": b"17",
        "dead_letter_reason": "Preis fehlt: €".encode(),
    }


def test_the_same_place_is_the_same_letter_and_another_place_another() -> None:
    assert letter(partition=1, offset=5).id == letter(partition=1, offset=5, reason="another word").id
    places: list[dict[str, object]] = [
        {},
        {"partition": 1, "offset": 5},
        {"partition": 1, "offset": 6},
        {"partition": 2, "offset": 5},
        {"partition": 1, "offset": 5, "index": 0},
        {"partition": 1, "offset": 5, "index": 1},
        {"position": "1"},
    ]
    assert len({letter(**place).id for place in places}) == len(places)


def test_what_is_too_large_for_a_record_is_cut_and_the_reason_says_so() -> None:
    cut = letter(value=b"v" * 1_048_000, key=b"AAPL")
    assert cut.value == b"v" * (900_000 - 4)
    assert (cut.key, cut.reason) == (b"AAPL", "why (cut: key and value had 1048004 bytes)")
    cut = letter(value=b"v" * 100_000, key=b"k" * 950_000, reason="r" * 950_000)
    assert len(cut.value) + len(cut.key or b"") + sum(len(value) for _, value in cut.headers()) < 1_000_000
    whole = letter(value=b"v" * 899_996, key=b"AAPL")
    assert (len(whole.value), whole.reason) == (899_996, "why")

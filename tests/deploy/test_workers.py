"""What tests that run beside each other have to themselves, and what they share."""

from itertools import pairwise
from pathlib import Path

import pytest

from tests.training import Training
from tests.workers import Worker


def test_no_two_workers_choose_the_same_port() -> None:
    shares = [Worker(number, 3).share_of((20_000, 32_000)) for number in range(3)]
    assert (shares[0][0], shares[-1][1]) == (20_000, 32_000)
    assert all(one[1] == next_one[0] for one, next_one in pairwise(shares))


def test_who_comes_after_a_dead_worker_stays_in_the_range() -> None:
    assert Worker(3, 3).share_of((20_000, 32_000)) == Worker(0, 3).share_of((20_000, 32_000))


def test_who_is_alone_has_all_ports_and_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    alone = Worker.of_this_process()
    assert alone.share_of((20_000, 32_000)) == (20_000, 32_000)
    assert alone.common_folder(tmp_path) == tmp_path


def test_workers_meet_in_the_folder_of_their_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "2")
    folders = set()
    for name in ("gw0", "gw1"):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", name)
        folders.add(Worker.of_this_process().common_folder(tmp_path / f"popen-{name}"))
    assert folders == {tmp_path}


def test_a_training_that_fails_fails_whoever_waits_for_it(tmp_path: Path) -> None:
    started, joined = Training(tmp_path / "training", "nothing"), Training(tmp_path / "training")
    for training in (joined, started):
        with pytest.raises(pytest.fail.Exception, match=r"(?s)came to nothing.*invalid choice: 'nothing'"):
            training.result()
    joined.end()
    started.end(others_may_wait=True)

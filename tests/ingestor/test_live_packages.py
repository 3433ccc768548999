"""The extra `live` is heavy: only who uses it pays, and where it is missing one line says what to do."""

import subprocess
import sys

import pytest

from ingestor.sources.live.packages import live_package
from schemas.errors import StopAndSayError
from schemas.source_settings import LIVE_SOURCES

_HEAVY = ("alpaca", "exchange_calendars", "massive", "pandas", "purgatory", "stamina", "yfinance")


def test_the_ingestor_imports_nothing_of_it_until_it_is_used() -> None:
    modules = ", ".join(f"ingestor.sources.providers.{name}" for name in LIVE_SOURCES)
    code = f"import sys, ingestor.service, {modules}\nprint([name for name in {_HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_missing_package_says_how_to_install_it() -> None:
    with pytest.raises(StopAndSayError, match=r"pip install tickcast\[live\]"):
        live_package("no_such_package.of_ours")

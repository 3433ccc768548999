"""Which Chromium the tests drive."""

import os

import pytest

from benchmarks.chromium import PATH_VARIABLE, chromium_path


def require_chromium() -> str:
    """Give its path; skip, or fail where `REQUIRE_CHROMIUM` is set, when there is none."""
    path = chromium_path()
    if path is not None:
        return path
    reason = f"no Chromium on the PATH, and {PATH_VARIABLE} is not set"
    if os.environ.get("REQUIRE_CHROMIUM", "") not in ("", "0"):
        pytest.fail(f"REQUIRE_CHROMIUM is set: {reason}", pytrace=False)
    pytest.skip(reason)

"""What serves tells nobody but our own topics."""

import subprocess
import sys
from pathlib import Path

from tests.processes import clean_environment


def test_nothing_is_written_into_the_home_of_whoever_serves(tmp_path: Path) -> None:
    environment = clean_environment() | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    subprocess.run([sys.executable, "-c", "import predictor.models.served"], env=environment, check=True)
    assert list(tmp_path.rglob("*")) == []

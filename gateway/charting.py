"""Where the charts of the page come from."""

from importlib.util import find_spec
from pathlib import Path

_PACKAGE = "lightweight_charts"


def charting_script() -> bytes:
    """Give Lightweight Charts as an installed package carries it, without importing that; else an empty script."""
    spec = find_spec(_PACKAGE)
    for folder in (spec and spec.submodule_search_locations) or ():
        script = Path(folder, "js", "lightweight-charts.js")
        if script.is_file():
            return script.read_bytes()
    return b""

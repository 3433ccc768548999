"""Files that nobody sees half written, whoever is killed meanwhile."""

from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file in one step."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)

"""Files that nobody sees half written, whoever is killed meanwhile, and whenever the power goes."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file in one step."""
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())  # else the new name may be on the disk before what it names
    partial.replace(path)

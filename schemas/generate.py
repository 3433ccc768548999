"""Write the JSON Schemas and `asyncapi.yaml` from the code: `python -m schemas.generate [--check | --freeze]`."""

import argparse
import json
import sys
from pathlib import Path

from schemas.asyncapi import asyncapi_text
from schemas.compatibility import breaking_changes
from schemas.json_schemas import JsonObject, json_schemas

ROOM = Path(__file__).parent


def to_text(value: JsonObject) -> str:
    """Write JSON for people and for diffs."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def generated_files() -> dict[str, str]:
    """Give the content of every generated file, by its path in this room."""
    files = {f"json/{name}": to_text(schema) for name, schema in json_schemas()}
    return files | {"asyncapi.yaml": asyncapi_text()}


def stale_files(room: Path, wanted: dict[str, str]) -> list[str]:
    """Name what is missing, differs, or should not be there."""
    paths = [*room.glob("json/*.json"), *room.glob("asyncapi.yaml")]
    found = {str(path.relative_to(room)): path.read_text() for path in paths}
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def broken_promises(room: Path) -> list[str]:
    """Say what today's schemas break of the released ones."""
    today = dict(json_schemas())
    problems = []
    for path in sorted(room.glob("released/*.json")):
        if path.name in today:
            problems += breaking_changes(json.loads(path.read_text()), today[path.name])
        else:
            problems.append(f"{path.name.partition('.')[0]}: is gone; keep it")
    return problems


def write_files(room: Path, wanted: dict[str, str]) -> None:
    """Make the files what they should be, and remove those of types that are gone."""
    for name in stale_files(room, wanted):
        path = room / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name in wanted:
            path.write_text(wanted[name])
        else:
            path.unlink()


def freeze(room: Path) -> None:
    """Make today's JSON Schemas those of the last release, which later ones must be compatible with."""
    released = room / "released"
    released.mkdir(exist_ok=True)
    for path in released.glob("*.json"):
        path.unlink()
    for name, schema in json_schemas():
        (released / name).write_text(to_text(schema))


def main(arguments: list[str] | None = None, room: Path = ROOM) -> int:
    """Write, check or freeze; give the exit code."""
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description=__doc__)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--check", action="store_true", help="write nothing; say what is stale or incompatible, and exit with 1"
    )
    choice.add_argument("--freeze", action="store_true", help="at a release: keep today's schemas as the released ones")
    options = parser.parse_args(arguments)
    wanted = generated_files()
    stale = stale_files(room, wanted)
    if options.check:
        return _report([f"schemas/{name}: is stale; run `python -m schemas.generate`" for name in stale], room)
    write_files(room, wanted)
    if options.freeze:
        freeze(room)
    print(f"{len(wanted)} files, {len(stale)} changed")
    return 0


def _report(problems: list[str], room: Path) -> int:
    problems = [*problems, *broken_promises(room)]
    print("\n".join(problems) or "up to date, and compatible with the last release")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

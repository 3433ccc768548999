"""`make install`, with small scripts in the place of Python, uv and pip."""

import os
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Takes the place of python3 and, in the .venv that it makes, of python and uv; says what it was asked for in `calls`,
#: and fails at what the file `fails` names.
_STAND_IN = """\
#!/bin/sh
case "$*" in
  -c*) [ -e pip-is-missing ] || echo True; exit 0 ;;
esac
echo "$(basename "$0") $*" >> calls
[ -e fails ] && echo "$(basename "$0") $*" | grep -q -f fails && exit 1
if [ "$1 $2" = "-m venv" ]; then
  rm -rf .venv pip-is-missing
  mkdir -p .venv/bin
  cp "$0" .venv/bin/python
  cp "$0" .venv/bin/uv
fi
exit 0
"""


class Clone:
    """A folder with our Makefile and stand-ins for what it starts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "python3"
        self.python.write_text(_STAND_IN)
        self.python.chmod(0o755)
        (folder / "Makefile").write_text((ROOT / "Makefile").read_text())
        (folder / "deploy" / "kafka").mkdir(parents=True)
        for name in ("pyproject.toml", "requirements.lock", "deploy/kafka/jgo.lock.toml"):
            (folder / name).touch()

    def install(self, *words: str) -> list[str]:
        """Run `make install`, and give what it started."""
        # Not as a part of the `make test` that we may run under.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        (self.folder / "calls").unlink(missing_ok=True)
        command = ["make", "install", f"PYTHON={self.python}", *words]
        self.done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        calls = self.folder / "calls"
        return calls.read_text().splitlines() if calls.exists() else []

    def fail(self, *patterns: str) -> None:
        """Let every call fail that one of these is in."""
        (self.folder / "fails").write_text("".join(f"{pattern}\n" for pattern in patterns))

    def outdate(self) -> None:
        """Touch pyproject.toml, as an edit does."""
        stamp = (self.folder / ".venv" / ".installed").stat().st_mtime
        os.utime(self.folder / "pyproject.toml", (stamp + 10, stamp + 10))


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def _extras(calls: list[str]) -> list[str]:
    [words] = [call.split() for call in calls if call.startswith("uv") and "--constraints" in call]
    return [extra for option, extra in pairwise(words) if option == "--extra"]


def test_a_first_install_makes_all_and_a_second_one_nothing(clone: Clone) -> None:
    venv, uv, packages, ours, jars = clone.install()
    assert venv == "python3 -m venv --clear .venv"
    assert uv.startswith("python -m pip install --quiet uv==")
    assert packages.endswith("setuptools")
    assert ours == "uv pip install --python .venv/bin/python --no-build-isolation --no-deps --editable ."
    assert jars == "python -m deploy.kafka resolve"
    assert clone.install() == []


@pytest.mark.parametrize("step", ["uv==", "^uv .*--constraints", "^uv .*--editable"])
def test_where_uv_fails_at_any_step_pip_takes_its_place(step: str, clone: Clone) -> None:
    clone.fail(step)
    calls = clone.install()
    assert clone.done.returncode == 0
    pip = [call.removeprefix("python -m pip install ") for call in calls if call.startswith("python -m pip")]
    assert pip[1:] == [
        "--require-hashes --requirement requirements.lock",
        "--no-build-isolation --no-deps --editable .",
    ]


def test_where_all_fails_the_next_make_tries_again(clone: Clone) -> None:
    clone.fail("^uv ", "require-hashes")
    clone.install()
    assert clone.done.returncode != 0
    clone.fail("nothing")
    assert clone.install()[0].startswith("python -m pip install --quiet uv==")
    assert clone.done.returncode == 0


def test_other_extras_are_installed_and_stay_the_choice_of_later_calls(clone: Clone) -> None:
    clone.install()
    assert _extras(clone.install("EXTRAS=data local")) == ["data", "local"]
    assert clone.install() == []
    clone.outdate()
    assert _extras(clone.install()) == ["data", "local"]


def test_a_failed_update_forgets_neither_the_venv_nor_its_extras(clone: Clone) -> None:
    clone.install("EXTRAS=data")
    clone.outdate()
    clone.fail("install")
    clone.install()
    assert clone.done.returncode != 0
    clone.fail("nothing")
    calls = clone.install()
    assert _extras(calls) == ["data"]
    assert not any("venv --clear" in call for call in calls)


def test_a_venv_that_was_cut_short_is_made_anew(clone: Clone) -> None:
    clone.install()
    (clone.folder / "pip-is-missing").touch()
    assert clone.install()[0] == "python3 -m venv --clear .venv"
    assert clone.done.returncode == 0


def test_a_venv_whose_python_is_gone_is_made_anew(clone: Clone) -> None:
    clone.install()
    python = clone.folder / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3.11")
    assert clone.install()[0] == "python3 -m venv --clear .venv"


def test_jars_that_cannot_be_fetched_are_tried_again_by_the_next_make(clone: Clone) -> None:
    clone.fail("resolve")
    clone.install()
    assert clone.done.returncode == 0
    assert "jars are missing" in clone.done.stdout
    clone.fail("nothing")
    assert clone.install() == ["python -m deploy.kafka resolve"]

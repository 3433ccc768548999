"""What a program takes in with the client."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

import gateway.client

PACKAGE = Path(gateway.client.__file__).parent
ROOT = PACKAGE.parents[1]


def _packages_of(extra: str) -> set[str]:
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    return {Requirement(text).name for text in named[extra]}


def _imported(folder: Path) -> set[str]:
    names: set[str] = set()
    for file in folder.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module or "")
    return names


def _outside(folder: Path) -> set[str]:
    outside = {name.partition(".")[0] for name in _imported(folder) if not name.startswith("gateway.client")}
    return outside - sys.stdlib_module_names


def test_it_imports_the_contract_and_what_its_extra_names_and_no_more() -> None:
    assert _outside(PACKAGE) == _packages_of("client") | {"schemas"}


def test_the_terminal_imports_what_its_extra_names_and_the_settings() -> None:
    assert _outside(PACKAGE / "watch") == _packages_of("terminal") - {"tickcast"} | {"pydantic", "schemas"}


def test_importing_it_brings_in_no_web_framework_no_broker_client_and_no_numbers() -> None:
    heavy = {"aiokafka", "confluent_kafka", "fastapi", "numpy", "pydantic", "starlette", "uvicorn", "gateway.app"}
    script = f"import sys, gateway.client; sys.exit(' '.join({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr.split() == []

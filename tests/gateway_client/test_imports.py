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


def _imported() -> set[str]:
    names: set[str] = set()
    for file in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module or "")
    return names


def test_it_imports_the_contract_and_what_its_extra_names_and_no_more() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    packages = {Requirement(text).name for text in extras["client"]}
    outside = {name.partition(".")[0] for name in _imported() if not name.startswith("gateway.client")}
    assert outside - sys.stdlib_module_names == packages | {"schemas"}


def test_importing_it_brings_in_no_web_framework_no_broker_client_and_no_numbers() -> None:
    heavy = {"aiokafka", "confluent_kafka", "fastapi", "numpy", "pydantic", "starlette", "uvicorn", "gateway.app"}
    script = f"import sys, gateway.client; sys.exit(' '.join({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr.split() == []

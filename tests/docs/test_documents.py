"""Commands and links of all documents."""

import re

import pytest

from deploy.cli import COMMANDS
from tests.docs.documents import CONTRIBUTING, DOCUMENTS, README, ROOT, shell_words

TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
LINES = [line for text in (README, CONTRIBUTING) for line in shell_words(text)]


def test_every_make_target_named_exists() -> None:
    named = {target for line in LINES for target in re.findall(r"(?:^|[ ;&])make ([a-z][a-z-]*)", line)}
    assert {"run", "test", "install", "check"} <= named
    assert named <= TARGETS


def test_every_tickcast_command_named_exists() -> None:
    named = {command for line in LINES for command in re.findall(r"\btickcast ([a-z][a-z-]*)", line)}
    assert {"predictor", "ingestor"} <= named
    assert named <= COMMANDS.keys()


def test_every_option_of_a_run_that_is_named_exists() -> None:
    from deploy.run_options import _parser

    options = {option for line in LINES for option in re.findall(r'ARGS="([^"]*)"', line)}
    named = set(re.findall(r"--[a-z-]+", " ".join(options)))
    assert "--fresh" in named
    assert named <= set(re.findall(r"--[a-z-]+", _parser().format_help()))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_relative_link_leads_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", DOCUMENTS[name]):
        assert ((ROOT / name).parent / target).exists(), target


def test_every_inner_link_of_the_readme_leads_to_a_heading() -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", README, flags=re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= headings


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name.startswith("docs/adr/")])
def test_a_decision_has_its_number_and_its_three_parts(name: str) -> None:
    text = DOCUMENTS[name]
    assert re.match(rf"# {name.removeprefix('docs/adr/')[:4]}: ", text)
    assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == ["Context", "Decision", "Consequences"]


def test_no_document_names_a_place_of_one_machine() -> None:
    for text in DOCUMENTS.values():
        assert not re.search(r"/(home|root|work|Users)/", text)

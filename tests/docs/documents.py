"""The documents as tests read them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
#: By path from the root.
DOCUMENTS = {
    str(path.relative_to(ROOT)): path.read_text() for path in sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))
}


def code_blocks(text: str, language: str) -> list[str]:
    """Give the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def table_rows(text: str, heading: str) -> list[list[str]]:
    """Give the cells of the first table whose head begins with a heading, without the head."""
    _, _, after = text.partition(f"| {heading} |")
    rows: list[list[str]] = []
    for line in after.splitlines()[2:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip().strip("|").split(" | ")])
    return rows


def shell_words(text: str) -> list[str]:
    """Give every line of shell: fenced ones, and what stands in backticks."""
    fenced = [line for block in code_blocks(text, "sh") for line in block.splitlines()]
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return fenced + re.findall(r"`([^`]+)`", prose)

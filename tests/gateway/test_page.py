"""The dashboard as files: what is sent, and what it may do. `tests/browser` opens it."""

import re
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from gateway import charting
from gateway.charting import charting_script
from gateway.routes.page import page_files
from tests.gateway.samples import make_parts
from tests.gateway.web import client_of

_MARKUP_FROM_STRINGS = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function")
_IMPORT = re.compile(r'(?:import|from) "([^"]+)"')


async def test_every_part_is_sent_under_a_strict_policy_and_once() -> None:
    async with client_of(make_parts()) as client:
        for path in ("/", *(f"/page/{name}" for name in page_files())):
            answer = await client.get(path)
            policy = answer.headers["content-security-policy"]
            assert answer.status_code == 200, path
            assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
            assert "unsafe" not in policy
            again = await client.get(path, headers={"If-None-Match": answer.headers["etag"]})
            assert (again.status_code, again.content) == (304, b""), path
            assert again.headers["content-security-policy"] == policy


@pytest.mark.parametrize("name", ["", "no.js", "../settings.py", "%2e%2e/settings.py", "index.html/x"])
async def test_what_is_no_part_of_the_page_is_not_there(name: str) -> None:
    async with client_of(make_parts()) as client:
        assert (await client.get(f"/page/{name}")).status_code == 404


def test_no_markup_is_put_together_from_strings_and_nothing_is_inline() -> None:
    files = page_files()
    for name, file in files.items():
        if name != "lightweight-charts.js":
            assert not _MARKUP_FROM_STRINGS.search(file.content.decode()), name
    page = files["index.html"].content.decode()
    assert not re.search(r"<style|style=|\son\w+=|<script(?! type=\"module\" src=)", page)


def test_every_module_and_sheet_that_is_named_is_there() -> None:
    files = page_files()
    named = set(re.findall(r'"/page/([^"]+)"', files["index.html"].content.decode()))
    for name, file in files.items():
        if name.endswith(".js") and name != "lightweight-charts.js":
            folder = Path("/", name).parent
            named |= {
                (folder / path).resolve().relative_to("/").as_posix() for path in _IMPORT.findall(file.content.decode())
            }
    assert named == set(files) - {"index.html", "lightweight-charts.js"}, "nothing is missing, and nothing unused"


def test_the_charts_come_from_the_package_without_importing_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spec = ModuleSpec("lightweight_charts", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(charting, "find_spec", lambda _name: spec)
    assert charting_script() == b"", "the package is another one"
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "lightweight-charts.js").write_bytes(b"charts")
    assert charting_script() == b"charts"
    monkeypatch.setattr(charting, "find_spec", lambda _name: None)
    assert charting_script() == b""

"""The documentation holds: its Python runs, what it shows is what comes out, its links exist.

A block marked ```python is run, unless it is marked ```python no-run. Where a ```text block follows
directly, it shows what the code prints. To write these blocks anew after a change:

    python tests/test_docs.py
"""

import contextlib
import io
import os
import re
from pathlib import Path

import pytest

from corgi_gym.rewards import registry

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_COLUMNS = "100"  # what is shown must not depend on the width of a terminal
_CODE = re.compile(r"^```python\n(.*?)^```\n(?:\n^```text\n(.*?)^```$)?", re.M | re.S)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def blocks(page):
    """(first line, code, shown output or None) of each block that is run."""
    text = page.read_text()
    for match in _CODE.finditer(text):
        yield text.count("\n", 0, match.start()) + 2, match[1], match[2]


def output(code, name):
    """What ``code`` prints; the checkers that it registers are forgotten afterwards."""
    known = dict(registry._REGISTRY)
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(code, name, "exec"), {"__name__": "example"})
    finally:
        registry._REGISTRY.clear()
        registry._REGISTRY.update(known)
    return printed.getvalue()


CASES = [
    pytest.param(code, shown, f"{page.name}:{line}", id=f"{page.name}:{line}")
    for page in PAGES
    for line, code, shown in blocks(page)
]


@pytest.mark.parametrize(("code", "shown", "name"), CASES)
def test_code_runs_and_prints_what_is_shown(code, shown, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", _COLUMNS)
    printed = output(code, name)
    assert shown is None or printed == shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_exist(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    for link in _LINK.findall(text):
        path, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        target = page.parent / path if path else page
        assert target.exists(), f"{page.name} links to {link}"
        if anchor and target.suffix == ".md":
            titles = re.findall(r"^#+ (.*)$", target.read_text(), re.M)
            assert anchor in {_anchor(title) for title in titles}, f"{page.name} links to {link}"


def test_every_page_is_reached_from_the_readme():
    text = (ROOT / "README.md").read_text()
    missing = [p.name for p in PAGES if p.name != "README.md" and f"{p.name})" not in text]
    assert not missing


def _anchor(title):
    """The anchor that GitHub gives a title."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")


def _rewrite(page):
    def fresh(match):
        if match[2] is None:
            return match[0]
        return f"```python\n{match[1]}```\n\n```text\n{output(match[1], page.name)}```"

    page.write_text(_CODE.sub(fresh, page.read_text()))


if __name__ == "__main__":
    os.environ["COLUMNS"] = _COLUMNS
    for each in PAGES:
        _rewrite(each)

"""The documentation holds: its Python runs, what it shows is what comes out, its links exist.

A block marked ```python is run, unless it is marked ```python no-run. Where a ```text block follows
directly, it shows what the code prints. To write these blocks anew after a change:

    python tests/test_docs.py
"""

import contextlib
import io
import os
import re
import shlex
from pathlib import Path

import gymnasium as gym
import pytest

from corgi_gym import benchmarks
from corgi_gym.__main__ import _parser, _recipe
from corgi_gym.agents.algorithms import get_algorithm
from corgi_gym.agents.training import check_training, micro_batches
from corgi_gym.benchmarks import experiment
from corgi_gym.benchmarks.gap.settings import gap_recipe
from corgi_gym.benchmarks.recipe import RECIPES
from corgi_gym.rewards import registry

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_COLUMNS = "100"  # what is shown must not depend on the width of a terminal
_CODE = re.compile(r"^```python\n(.*?)^```\n(?:\n^```text\n(.*?)^```$)?", re.M | re.S)
_SHELL = re.compile(r"^```(?:bash|sh)\n(.*?)^```$", re.M | re.S)
_VARIABLE = re.compile(r"""^([A-Z]+)=["']?([^"'\n]*)""", re.M)
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


def commands(page):
    """The arguments of each ``corgi-gym`` in a page's shell blocks that has no loop variable."""
    for block in _SHELL.findall(page.read_text()):
        for name, value in _VARIABLE.findall(block):
            block = re.sub(rf"\${name}\b", value, block)
        for line in block.replace("\\\n", " ").splitlines():
            words = [word.removesuffix(";") for word in shlex.split(line, comments=True)]
            while "corgi-gym" in words:
                words = words[words.index("corgi-gym") + 1 :]
                ends = [i for i, word in enumerate(words) if word in ("&&", "|", ">", "done")]
                given = words[: min(ends, default=len(words))]
                if "$" not in "".join(given):
                    yield given


COMMANDS = [
    pytest.param(words, id=f"{page.name}: {' '.join(words)}")
    for page in PAGES
    for words in commands(page)
]


@pytest.mark.parametrize("words", COMMANDS)
def test_commands_are_taken(words):
    """Up to where a model would be loaded: words, recipe, options of the method."""
    arguments = _parser().parse_args(words)
    if "recipe" not in arguments:
        return
    recipe = _recipe(arguments, gap_recipe if arguments.command == "gap" else None)
    if arguments.command == "train" and get_algorithm(recipe.algorithm).trainer:
        env = gym.make(
            recipe.env.id, **{**get_algorithm(recipe.algorithm).env, **recipe.env.kwargs}
        )
        check_training(recipe.algorithm, recipe.train, env)


def launched():
    """Arguments of each training that pages or configurations start on several processes."""
    configs = sorted((RECIPES / "accelerate").glob("*.yaml"))
    for path in (*PAGES, *configs):
        for line in path.read_text().replace("\\\n", " ").splitlines():
            if "accelerate launch" in line and "-m corgi_gym" in line:
                count = int(re.search(r"--num_processes (\d+)", line)[1])
                words = shlex.split(line.partition("-m corgi_gym")[2], comments=True)
                yield pytest.param(count, words, id=f"{path.name}: {count} {' '.join(words)}")


@pytest.mark.parametrize(("count", "words"), list(launched()))
def test_trainings_on_several_processes_are_taken(count, words):
    """A round's sessions can be split: else it is an error after the model was loaded."""
    recipe = _recipe(_parser().parse_args(words))
    assert micro_batches(recipe.train, count) >= 1


TRAININGS = [
    pytest.param(code, f"{page.name}:{code.splitlines()[0]}", id=page.name)
    for page in PAGES
    for code in re.findall(r"^```python no-run\n(.*?)^```$", page.read_text(), re.M | re.S)
    if re.search(r"^(summary = run|train)\(", code, re.M)
]


@pytest.mark.parametrize(("code", "name"), TRAININGS)
def test_trainings_are_taken(code, name, monkeypatch):
    """The code of a training, up to its start: its recipe has no impossible value."""
    started = []

    def start(recipe, out, **options):
        started.append(recipe.check())
        return {"status": "finished"}

    for module in (benchmarks, experiment):
        monkeypatch.setattr(module, "run", start)
    output(code, name)
    assert len(started) == 1


def test_the_commands_of_the_pages_are_found():
    found = [" ".join(param.values[0]) for param in COMMANDS]
    assert len(found) > 70
    assert {param.id for param in TRAININGS} == {"README.md", "training.md", "tutorial.md"}
    assert "bench report" in found and "train rloo --curriculum learnable" in found


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

"""Third parties add checkers and families through entry points; a broken one only warns."""

from pathlib import Path

import pytest

ENTRY_POINTS = """
[corgi_gym.checkers]
acme_polite = acme_gym:polite
acme_plain = acme_gym:plain
acme_broken = acme_broken:checker
acme_missing = acme_gym:nothing_there
acme_constant = acme_gym:CONSTANT
countdown = acme_gym:plain

[corgi_gym.families]
acme_echo = acme_gym:Echo
acme_broken_family = acme_broken:Family
acme_no_family = acme_gym:plain
acme_unchecked = acme_gym:Unchecked
"""
MODULE = """
from corgi_gym.envs import Draft, TaskSource
from corgi_gym.rewards import checker

CONSTANT = 3

@checker("acme_polite", examples=[("yes please", None, True)], message="Say please.")
def polite(reply, target):
    return "please" in reply

def plain(reply, target):
    return reply == target

class Echo(TaskSource):
    family = "acme_echo"
    summary = "Repeat a number."
    checker = plain

    def generate(self, rng):
        number = str(rng.integers(10**6))
        return Draft(number, f"Repeat the number {number} and add an exclamation mark.",
                     number + "!", number + "!")

    def near_misses(self, task):
        return [task.target[:-1]]

class Unchecked(Echo):
    family = "acme_unchecked"
    checker = None
"""
BROKEN = "raise RuntimeError('acme is broken today')\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder as pip would leave it: two modules and the metadata of one distribution."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "acme_gym.py").write_text(MODULE)
    (folder / "acme_broken.py").write_text(BROKEN)
    info = folder / "acme_gym-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-gym\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    return folder


@pytest.fixture
def run(run_python, site):
    """Runs code that sees the plug-ins, every warning being an error unless it is recorded."""
    prelude = (
        "import sys, warnings\n"
        "warnings.simplefilter('error')\n"
        "import corgi_gym\n"
        "from corgi_gym.rewards import checker_names, get_checker, judge\n"
        "from corgi_gym.envs import GuidedEnv, load_family\n"
        "def failure(call, *args, **kwargs):\n"
        "    with warnings.catch_warnings(record=True) as caught:\n"
        "        warnings.simplefilter('always')\n"
        "        try:\n"
        "            call(*args, **kwargs)\n"
        "        except ValueError as error:\n"
        "            return [str(w.message) for w in caught], str(error)\n"
        "    raise SystemExit('no error')\n"
    )
    return lambda code: run_python(prelude + code, path=site)


def test_plugins_are_listed_without_being_imported(run):
    out = run(
        "print([n for n in checker_names() if n.startswith('acme')])\n"
        "GuidedEnv().reset()\n"
        "print([m for m in sys.modules if m.startswith('acme')])"
    )
    assert out.splitlines() == [
        "['acme_broken', 'acme_constant', 'acme_missing', 'acme_plain', 'acme_polite']",
        "[]",
    ]


def test_a_plugin_checker_works_by_name_with_its_message(run):
    out = run(
        "env = GuidedEnv(prompts=['Ask.'], checker='acme_polite')\n"
        "env.reset(); print(env.step('give')[0]); print(env.step('please')[1])\n"
        "print(judge(get_checker('acme_plain'), 'a', 'a').success, get_checker('acme_plain').name)"
    )
    assert out.splitlines() == ["Say please. Try again.", "1.0", "True acme_plain"]


def test_a_plugin_family_works_through_make(run):
    out = run(
        "import gymnasium as gym\n"
        "env = gym.make('ConstrainedGen-v0', tasks=['panagram', 'acme_echo'])\n"
        "_, info = env.reset(options={'task': 'acme_echo', 'index': 0})\n"
        "task = load_family('acme_echo')().item(0, 0)\n"
        "print(info['task'], env.step(task.target[:-1])[1], env.step(task.witness)[1])"
    )
    assert out.split() == ["acme_echo", "0.0", "1.0"]


def test_a_plugin_family_without_a_checker_is_refused_before_its_first_task(run):
    out = run(
        "try:\n    GuidedEnv('acme_unchecked')\n"
        "except TypeError as error:\n    print(error)\n"
        "print(GuidedEnv('acme_unchecked', checker='acme_plain').reset()[1]['task'])"
    )
    error, task = out.splitlines()
    assert "Unchecked has no checker that can be called, but None" in error
    assert task == "acme_unchecked"


def test_a_plugin_cannot_replace_a_shipped_checker(run):
    assert "corgi_gym.rewards.countdown" in run(
        "print(get_checker('countdown').function.__module__)"
    )


@pytest.mark.parametrize(
    ("call", "name", "cause"),
    [
        ("get_checker", "acme_broken", "RuntimeError('acme is broken today')"),
        ("get_checker", "acme_missing", "AttributeError"),
        ("get_checker", "acme_constant", "a checker must be a name or a callable, got 3"),
        ("load_family", "acme_broken_family", "RuntimeError('acme is broken today')"),
        ("load_family", "acme_no_family", "is not a subclass of TaskSource"),
    ],
)
def test_a_broken_plugin_warns_by_name_and_leaves_the_rest_alone(run, call, name, cause):
    out = run(
        f"caught, error = failure({call}, {name!r})\n"
        "print(len(caught)); print(caught[0]); print(error)\n"
        "print(get_checker('acme_polite').name, load_family('acme_echo').family)\n"
        "print(GuidedEnv('panagram').reset(seed=0)[1]['task'])"
    )
    count, warning, error, others, task = out.splitlines()
    assert count == "1"
    for text in (warning, error):
        assert f"plug-in {name!r}" in text and "could not be imported" in text and cause in text
    assert "known: " in error and f", {name}" not in error
    assert (others, task) == ("acme_polite acme_echo", "panagram")

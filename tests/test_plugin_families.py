"""Families of a real installed package that does harm, run isolated: everything else goes on."""

import json

import pytest

ISOLATE = {"CORGI_GYM_ISOLATE_PLUGINS": "1"}
PRELUDE = """
import json, sys
from corgi_gym.envs import GuidedEnv, load_family, make_sources
from corgi_gym.envs.tasks import _isolated_family as isolated
isolated.MEMORY_MB = 256
"""


@pytest.fixture
def run(run_python, plugin_site):
    """Runs code that sees the installed packages, with plug-ins isolated."""
    return lambda code: run_python(PRELUDE + code, path=plugin_site, **ISOLATE)


TRY_ALL = """
errors = {{}}
for name in {names!r}:
    isolated.ITEM_SECONDS = 1.0 if "loops" in name else 30.0
    try:
        options = {{}} if "exits" in name else {{"folder": {folder!r}}}
        source = load_family(name)(**options)
        task = source.item(0, 0)
        errors[name] = "made " + task.prompt
    except ValueError as error:
        errors[name] = str(error)
print(json.dumps([errors, [m for m in sys.modules if "hostile" in m]]))
env = GuidedEnv(tasks=["panagram", "hostile_family_fine"])  # and everything else goes on
print(env.reset(options={{"task": "panagram", "index": 0}})[1]["task"])
print(env.reset(options={{"task": "hostile_family_fine", "index": 0}})[0].partition(" ")[0])
"""
CAUSES = {
    "hostile_family_loops": "timeout",
    "hostile_family_forks": "PermissionError",
    "hostile_family_allocates": "memory",
    "hostile_family_exits": "crashed",
    "hostile_family_raises": "KeyboardInterrupt",
    "hostile_family_lies": "prompt must be a string",
    "hostile_family_import_raises": "KeyboardInterrupt",
    "hostile_family_import_exits": "crashed",
}


def test_hostile_families_stop_nothing_and_write_nothing(run, plugin_site, tmp_path):
    kept = tmp_path / "kept"
    kept.write_text("as it was")
    mode = kept.stat().st_mode
    before = sorted(p for p in plugin_site.rglob("*") if "__pycache__" not in p.parts)
    names = [*CAUSES, "hostile_family_writes"]
    errors, *went_on = run(TRY_ALL.format(names=names, folder=str(tmp_path))).splitlines()
    errors, modules = json.loads(errors)
    for name, cause in CAUSES.items():
        assert errors[name].startswith(f"family plug-in '{name}'"), errors[name]
        assert cause in errors[name], errors[name]
    # it swallows every refusal, so it can go on: that it has not written anything
    assert errors["hostile_family_writes"].startswith("made Ask for")
    assert sorted(tmp_path.iterdir()) == [kept]
    assert kept.read_text() == "as it was" and kept.stat().st_mode == mode
    assert sorted(p for p in plugin_site.rglob("*") if "__pycache__" not in p.parts) == before
    assert modules == []
    assert went_on == ["panagram", "Ask"]


def test_an_import_that_never_ends_is_an_error_that_names_the_plugin(run):
    out = run(
        "isolated.START_SECONDS = 5.0\n"
        "try:\n    make_sources(['panagram', 'hostile_family_import_loops'])\n"
        "except ValueError as error:\n    print(error)\n"
        "print(list(make_sources(['panagram'])))\n"
    )
    error, rest = out.splitlines()
    assert error.startswith("family plug-in 'hostile_family_import_loops' (hostile_import_loops:")
    assert "timeout" in error and "at import" in error and rest == "['panagram']"


def test_a_checker_that_loops_is_unscored_and_the_episode_goes_on(run):
    out = run(
        "from corgi_gym.rewards import judge\n"
        "source = load_family('hostile_family_fine')()\n"
        "task = source.item(0, 0)\n"
        "isolated.DEADLINE_SECONDS = 0.5\n"
        "print(judge(task.checker, 'please', 'loop').status)\n"
        "print([judge(task.checker, r, task.target).success for r in (task.witness, 'x')])\n"
    )
    assert out.splitlines() == ["unscored", "[True, False]"]


def test_the_good_family_is_the_same_isolated(run_python, plugin_site):
    code = (
        "import json\n"
        "from corgi_gym.envs import GuidedEnv, load_family\n"
        "source = load_family('rhyme_alliterate')()\n"
        "tasks = [source.item(3, i, s) for s in ('train', 'test') for i in range(3)]\n"
        "said = [[t.task_id, t.family, t.prompt, t.target, t.witness] for t in tasks]\n"
        "said += [source.near_misses(tasks[0]), source.summary]\n"
        "env = GuidedEnv(tasks=['rhyme_alliterate'])\n"
        "env.reset(options={'index': 0})\n"
        "said += [env.step('no')[:4], env.step(env.task_at(0).witness)[1:4]]\n"
        "print(json.dumps(said))\n"
    )
    plain = run_python(code, path=plugin_site)
    assert run_python(code, path=plugin_site, **ISOLATE) == plain and len(json.loads(plain)) == 10


def test_an_isolated_family_travels_to_another_process(run):
    out = run(
        "import pickle\n"
        "task = load_family('hostile_family_fine')(things=('milk',)).item(3, 0)\n"
        "copy = pickle.loads(pickle.dumps(task))\n"
        "print(copy.checker(task.witness, task.target).success, copy.target == task.target)\n"
    )
    assert out.split() == ["True", "True"]


def test_a_checker_from_outside_replaces_the_family_s_own(run):
    out = run(
        "from corgi_gym.rewards.registry import checker_name\n"
        "for name in ('rhyme_alliterate', 'hostile_family_fine'):\n"
        "    print(checker_name(load_family(name)().item(0, 0).checker))\n"
        "source = make_sources(['rhyme_alliterate'], checker='panagram')['rhyme_alliterate']\n"
        "print(checker_name(source.item(0, 0).checker))\n"
    )
    isolated = ["isolated:rhyme_alliteration", "isolated:hostile_family_fine"]
    assert out.splitlines() == [*isolated, "panagram"]


def test_options_are_plain_data_and_errors_in_them_are_told(run):
    out = run(
        "print(load_family('hostile_family_fine')(things=('milk',)).item(0, 0).target[0])\n"
        "for options in ({'things': object()}, {'color': 'red'}):\n"
        "    try:\n        make_sources(['hostile_family_fine'],\n"
        "            task_options={'hostile_family_fine': options})\n"
        "    except ValueError as error:\n        print(error)\n"
    )
    milk, opaque, unknown = out.splitlines()
    assert milk == "milk"
    assert "must be plain data" in opaque and "hostile_family_fine" in opaque
    assert "unexpected keyword argument 'color'" in unknown and "hostile_family_fine" in unknown

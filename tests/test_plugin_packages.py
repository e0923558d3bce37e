"""Two real third-party packages, installed by pip: a good one, and a hostile one run isolated."""

import json

import pytest

HARMLESS = (
    "hostile_loop", "hostile_fork", "hostile_daemon", "hostile_write", "hostile_fill",
    "hostile_allocate", "hostile_exit", "hostile_kill", "hostile_lie", "hostile_import_raises",
    "hostile_import_loops", "hostile_import_exits",
)  # fmt: skip


@pytest.fixture
def run(run_python, plugin_site):
    """Runs code that sees the installed packages."""
    prelude = "import json, sys\nfrom corgi_gym.rewards import checker_names, get_checker, judge\n"
    return lambda code, **env: run_python(prelude + code, path=plugin_site, **env)


def test_pip_has_installed_them(plugin_site):
    assert (plugin_site / "rhyme_gym.py").is_file() and (plugin_site / "hostile_gym.py").is_file()
    assert list(plugin_site.glob("rhyme_gym-1.0.dist-info")) and list(
        plugin_site.glob("hostile_gym-1.0.dist*")
    )


def test_the_good_package_adds_a_checker_and_a_family(run):
    out = run(
        "import gymnasium as gym, corgi_gym\n"
        "from corgi_gym.envs import load_family\n"
        "check = get_checker('rhyme_alliteration')\n"
        "print(all(judge(check, e.reply, e.target).success == e.passes for e in check.examples))\n"
        "env = gym.make('ConstrainedGen-v0', tasks=['panagram', 'rhyme_alliterate'])\n"
        "env.reset(options={'task': 'rhyme_alliterate', 'index': 0})\n"
        "source = load_family('rhyme_alliterate')()\n"
        "task = source.item(0, 0)\n"
        "print(env.step(source.near_misses(task)[0])[0])\n"
        "print(env.step(task.witness)[1:3])\n"
    )
    first, message, solved = out.splitlines()
    assert first == "True" and solved == "(1.0, True)"
    assert message.startswith("You wrote ") and message.endswith("Try again.")


def test_the_good_package_works_isolated_too(run):
    out = run(
        "check = get_checker('isolated:rhyme_alliteration')\n"
        "target = {'letter': 'b', 'count': 3}\n"
        "for reply in ('big brown bears', 'big brown cats', 'big'):\n"
        "    verdict = judge(check, reply, target)\n"
        "    print(verdict.status, verdict.success, [p.message for p in verdict.problems])\n"
        "print('rhyme_gym' in sys.modules, check.name)\n"
    )
    assert out.splitlines() == [
        "scored True []",
        "scored False ['1 of your words do not begin with b.']",
        "scored False ['You wrote 1 words. Write 3.']",
        "False isolated:rhyme_alliteration",
    ]


def test_listing_names_imports_nothing(run):
    out = run("print(len([n for n in checker_names() if n.startswith('hostile')]))\n"
              "print([m for m in sys.modules if 'hostile' in m])")  # fmt: skip
    assert out.split() == ["14", "[]"]


JUDGE_ALL = """
import time
from corgi_gym.rewards.isolated_checker import isolated
verdicts = {{}}
for name in {names!r}:
    check = isolated(name, deadline=1.0, memory_mb=256, start_seconds=10.0)
    verdict = judge(check, "yes please", {folder!r})
    message = " ".join(problem.message for problem in verdict.problems)
    verdicts[name] = [verdict.status, verdict.score, message]
    check.close()
    fine = judge(isolated("hostile_fine"), "yes please", {folder!r})
    assert fine.success, fine
print(json.dumps(verdicts))
"""


def test_the_hostile_package_stops_nothing_and_writes_nothing(run, plugin_site, tmp_path):
    kept = tmp_path / "kept"
    kept.write_text("as it was")
    mode = kept.stat().st_mode
    before = sorted(path for path in plugin_site.rglob("*") if "__pycache__" not in path.parts)
    verdicts = json.loads(run(JUDGE_ALL.format(names=HARMLESS, folder=str(tmp_path))))
    causes = {
        "hostile_loop": "timeout",
        "hostile_fork": "PermissionError",
        "hostile_daemon": "PermissionError",
        "hostile_fill": "PermissionError",
        "hostile_allocate": "memory",
        "hostile_exit": "crashed",
        "hostile_kill": "PermissionError",
        "hostile_lie": "must be a number in [0, 1]",
        "hostile_import_raises": "KeyboardInterrupt",
        "hostile_import_loops": "timeout",
        "hostile_import_exits": "crashed",
    }
    for name, cause in causes.items():
        status, score, message = verdicts[name]
        assert (status, score) == ("unscored", 0.0) and cause in message, (name, message)
    # it swallows every refusal, so it can give a verdict: that it has not written anything
    assert verdicts["hostile_write"][:2] == ["scored", 0.0]
    assert sorted(tmp_path.iterdir()) == [kept]
    assert kept.read_text() == "as it was" and kept.stat().st_mode == mode
    assert sorted(p for p in plugin_site.rglob("*") if "__pycache__" not in p.parts) == before


def test_a_module_that_writes_when_it_is_imported_writes_nothing(run, plugin_site):
    out = run(
        "check = get_checker('isolated:hostile_import_writes')\n"
        "print(judge(check, 'yes please', None).success, judge(check, 'give', None).success)\n"
    )
    assert out.split() == ["True", "False"]
    assert not (plugin_site / "hostile_was_here").exists()


def test_one_variable_isolates_every_plugin(run):
    out = run(
        "check = get_checker('hostile_import_raises')\n"
        "print(check.name, judge(check, 'x', None).status)\n"
        "print(get_checker('countdown').name, 'hostile_import_raises' in sys.modules)\n",
        CORGI_GYM_ISOLATE_PLUGINS="1",
    )
    assert out.splitlines() == ["isolated:hostile_import_raises unscored", "countdown False"]


def test_an_episode_goes_on_after_a_hostile_verdict(run, tmp_path):
    out = run(
        "from corgi_gym.envs import GuidedEnv\n"
        "prompts = [{'prompt': 'Ask.', 'target': " + repr(str(tmp_path)) + "}]\n"
        "env = GuidedEnv(prompts=prompts, checker='isolated:hostile_exit')\n"
        "env.reset()\n"
        "print(env.step('please')[4]['unscored'], env.step('please')[2:4])\n"
    )
    assert out.split("\n")[0] == "True (False, False)"


def test_an_unknown_name_is_an_error_that_lists_the_known_ones(run):
    out = run(
        "try:\n    get_checker('isolated:no_such')\nexcept ValueError as error:\n    print(error)\n"
    )
    assert "unknown checker 'no_such'" in out and "rhyme_alliteration" in out

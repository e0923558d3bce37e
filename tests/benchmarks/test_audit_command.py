"""``corgi-gym audit``: names, rows, exit status, files, and every mistake in one line."""

import json
import sys
from dataclasses import replace
from importlib.util import find_spec

import pytest

from corgi_gym.__main__ import main
from corgi_gym.benchmarks import audit as module
from corgi_gym.benchmarks.audit import run_audit
from corgi_gym.benchmarks.audit_material import (
    POOL,
    Material,
    family_material,
    family_of,
    file_rows,
)
from corgi_gym.envs import FAMILIES
from corgi_gym.rewards import registry
from corgi_gym.rewards.audit import Row, runner

GOOD = "def check(reply, target):\n    return reply.strip() == target\n"
BAD = "def check(reply, target):\n    return target in reply\n"
ROWS = [
    {"prompt": f"Repeat {n}.", "target": str(n), "witness": str(n), "near_misses": [f"{n}0"]}
    for n in (1111, 2222, 3333)
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with a checker file and rows."""
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "bad.py").write_text(BAD)
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_good_checker_ends_with_0_and_writes_both_files(folder, capsys):
    assert main(["audit", "good.py:check", "--rows", "rows.jsonl", "--fuzz", "50"]) == 0
    text = capsys.readouterr().out
    assert "tasks: 3 rows of rows.jsonl\n" in text
    assert "good.py:check: 0 exploits, 0 defects, 0 notes (3 tasks, seed 0)" in text
    found = json.loads((folder / "runs/audit/good.py-check/audit.json").read_text())["audits"][0]
    assert found["checker"] == "good.py:check" and found["tasks"] == 3
    assert "good.py:check" in (folder / "runs/audit/good.py-check/audit.html").read_text()


def test_an_exploit_ends_with_1(folder, capsys):
    options = ["--rows", "rows.jsonl", "--fuzz", "0", "--tasks", "2", "--out", "found"]
    assert main(["audit", "bad.py:check", *options]) == 1
    text = capsys.readouterr().out
    assert "EXPLOIT basics.near_miss_paid" in text
    assert "(1 more in found/audit.json)" in text
    assert "tasks: the first 2 of 3 rows of rows.jsonl\n" in text
    found = json.loads((folder / "found/audit.json").read_text())["audits"][0]
    assert found["tasks"] == 2 and found["counts"]["exploit"] > 2


def test_a_family_is_audited_with_its_tasks_and_near_misses(tmp_path):
    options = ["--tasks", "6", "--fuzz", "30", "--out", str(tmp_path)]
    assert main(["audit", "countdown", *options]) == 0
    found = json.loads((tmp_path / "audit.json").read_text())["audits"][0]
    facts = {check["name"]: check["facts"] for check in found["checks"]}
    assert facts["basics"]["witnesses"] == 6 and facts["basics"]["near_misses"] > 60
    assert facts["determinism"]["processes"] == 3


PLUGIN = """
from corgi_gym.envs import Draft, TaskSource
from corgi_gym.rewards import checker

@checker("acme_audited")  # found in its module, not by its name
def repeats(reply, target):
    return reply.strip() == target

class Echo(TaskSource):
    family = "acme_echo"
    summary = "Repeat a number."
    checker = repeats

    def generate(self, rng):
        number = str(rng.integers(10**3, 10**6))
        return Draft(number, f"Repeat {number} and add a full stop.", number + ".", number + ".")

    def near_misses(self, task):
        return [task.target[:-1]]
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """An installed package with the family ``acme_echo``."""
    site = tmp_path / "site"
    info = site / "acme_audited-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "acme_audited.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-audited\nVersion: 1.0\n")
    points = "[corgi_gym.families]\nacme_echo = acme_audited:Echo\n"
    (info / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(site)
    yield
    registry._REGISTRY.pop("acme_audited", None)
    sys.modules.pop("acme_audited", None)


@pytest.mark.parametrize("isolate", ["0", "1"])
def test_the_family_of_an_installed_package_is_audited(
    tmp_path, plugin, monkeypatch, capsys, isolate
):
    monkeypatch.setenv(registry.ISOLATE_VARIABLE, isolate)
    options = ["--tasks", "4", "--fuzz", "10", "--out", str(tmp_path / "out")]
    assert main(["audit", "acme_echo", *options]) == 0
    text = capsys.readouterr().out
    assert "tasks: 4 of family acme_echo, seed 0\n" in text and "witnesses 4, near" in text
    assert ("processes 3" in text) == (isolate == "0")
    assert main(["audit", "acme_ehco"]) == 2
    error = capsys.readouterr().err
    assert "did you mean 'acme_echo'? families: num_planning, " in error
    assert "reasoning_gym/…, acme_echo; checkers: " in error


def test_families_on_request_and_of_reasoning_gym_are_audited(tmp_path, monkeypatch, capsys):
    def rows(data, fields, *, split):
        kept = range(1, 90) if split == "train" else range(90, 99)
        return [{"question": f"{n} and {n}?", "answer": f"Twice.\n#### {2 * n}"} for n in kept]

    monkeypatch.setattr("corgi_gym.envs.tasks._hub.load_rows", rows)
    names = ["gsm8k"] + ["reasoning_gym/chain_sum"] * bool(find_spec("reasoning_gym"))
    for name in names:
        options = ["--tasks", "4", "--fuzz", "10", "--out", str(tmp_path / name)]
        assert main(["audit", name, *options]) == 0
        assert f"tasks: 4 of family {name}, seed 0\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("panagram", "panagram"),
        ("constraint_grammar", "constraints"),
        ("isolated:panagram", "panagram"),
        ("isolated:constraint_grammar", "constraints"),
        ("math_verify", None),
        ("good.py:check", None),
        ("isolated:acme_echo", None),
    ],
)
def test_the_family_that_belongs_to_a_name(plugin, name, family):
    assert family_of(name) == family


def test_a_checker_without_a_family_of_its_own_says_what_it_was_tried_on(tmp_path, capsys):
    assert run_audit("math_verify", fuzz=0, out=str(tmp_path)) == 0
    assert (
        "tasks: 4 targets of the checker's declared examples, without prompts; give --family math "
        "or --rows FILE for real tasks\n"
    ) in capsys.readouterr().out


def test_an_isolated_checker_is_audited_with_its_familys_tasks(tmp_path, capsys):
    options = ["--tasks", "3", "--fuzz", "0", "--out", str(tmp_path), "--reference"]
    assert main(["audit", "isolated:panagram", *options, "isolated:panagram"]) == 0
    text = capsys.readouterr().out
    assert "tasks: 3 of family panagram, seed 0\n" in text
    assert "Compared with isolated:panagram" in text


def test_another_checker_can_be_tried_on_a_familys_tasks(tmp_path, capsys):
    options = ["--family", "panagram", "--reference", "panagram", "--tasks", "3", "--fuzz", "0"]
    assert run_audit("clustering", family="panagram", tasks=3, fuzz=0, out=str(tmp_path)) == 0
    assert "DEFECT" in capsys.readouterr().out  # clustering cannot judge these targets
    assert main(["audit", "panagram", *options, "--overwrite", "--out", str(tmp_path)]) == 0
    assert "Compared with panagram" in capsys.readouterr().out


@pytest.fixture
def families(monkeypatch):
    """Three families for ``all``, of which only those in the dict misbehave: ``{name: error}``."""
    errors, asked = {}, []
    rows = [Row("Write 7.", "7", "7", ("8",)), Row("Write 5.", "5", "5", ("6",))]

    def material(name, **options):
        asked.append(name)
        if name in errors:
            raise errors[name]
        return Material(lambda reply, target: reply.strip() == target, rows, [])

    monkeypatch.setattr(module, "material", material)
    monkeypatch.setattr(module, "family_names", lambda: ["panagram", "clustering", "countdown"])
    return errors, asked


def audited(folder):
    """Names and counts in the JSON of a folder."""
    found = json.loads((folder / "audit.json").read_text())["audits"]
    return {each["checker"]: each["counts"] for each in found}


def test_all_audits_every_family_and_leaves_out_what_is_not_installed(tmp_path, families, capsys):
    families[0]["clustering"] = ImportError('clustering needs pip install "corgi-gym[x]"')
    with pytest.warns(RuntimeWarning, match=r"clustering was left out: .*corgi-gym\[x\]"):
        assert run_audit("all", fuzz=0, out=str(tmp_path)) == 0
    assert list(audited(tmp_path)) == ["panagram", "countdown"]
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[:2] for line in lines[:2]] == [["[1/3]", "panagram:"], ["[3/3]", "countdown:"]]
    assert [line[0] for line in lines[2:5]] == ["checker", "panagram", "countdown"]


def test_all_goes_on_when_one_fails_and_tries_only_that_again(tmp_path, families, capsys):
    errors, asked = families
    errors["clustering"] = RuntimeError("no process could be had")
    assert run_audit("all", fuzz=0, out=str(tmp_path)) == 1
    page = (tmp_path / "audit.html").read_text()
    assert "RuntimeError: no process could be had (test_audit_command.py:" in page
    assert list(audited(tmp_path)) == module.family_names()
    errors.clear()
    asked.clear()
    assert run_audit("all", fuzz=0, out=str(tmp_path), resume=True) == 0
    assert asked == ["clustering"] and list(audited(tmp_path)) == module.family_names()
    assert capsys.readouterr().out.count(", kept") == 2


def test_all_keeps_what_is_done_when_it_is_stopped(tmp_path, families, capsys):
    errors, asked = families
    errors["countdown"] = KeyboardInterrupt()
    options = ["audit", "all", "--fuzz", "0", "--out", str(tmp_path)]
    assert main(options) == 130
    assert "stopped after 2 of 3" in capsys.readouterr().out
    assert list(audited(tmp_path)) == ["panagram", "clustering"]
    errors.clear()
    (tmp_path / "subjects" / "panagram.json").write_text('{"settings": {')  # cut in half
    asked.clear()
    assert main([*options, "--resume"]) == 0
    assert asked == ["panagram", "countdown"] and len(audited(tmp_path)) == 3


@pytest.mark.parametrize("again", [{"overwrite": True}, {"resume": True, "tasks": 3}], ids=str)
def test_all_audits_again_to_overwrite_and_with_other_settings(tmp_path, families, again):
    run_audit("all", fuzz=0, out=str(tmp_path))
    families[1].clear()
    run_audit("all", fuzz=0, out=str(tmp_path), **again)
    assert families[1] == module.family_names()


@pytest.mark.parametrize("held", ["audit.json", "audit.html", "audit.md", "subjects"])
@pytest.mark.parametrize("name", ["good.py:check", "all"])
def test_a_folder_that_holds_results_is_kept(folder, families, capsys, name, held):
    families[0]["good.py:check"] = AssertionError("the work began")
    (folder / "old").mkdir()
    (folder / "old" / held).write_text("old")
    (folder / "file").write_text("mine")
    command = ["audit", name, *(["--rows", "rows.jsonl"] if name != "all" else [])]
    for out, said in (("old", f"already holds a run ({held})"), ("file", "cannot be written to")):
        assert main([*command, "--out", out]) == 2
        error = capsys.readouterr().err
        assert f"run folder '{out}' {said}" in error and "--out" in error
        assert error.count("--overwrite") == (out == "old")
        assert error.count("--resume") == (out == "old" and (name, held) == ("all", "subjects"))
    assert held == "subjects" or main([*command, "--resume", "--out", "old"]) == 2
    assert (folder / "old" / held).read_text() == "old" and not families[1]


def test_old_results_stay_until_there_are_new_ones(folder, families):
    main(["audit", "all", "--fuzz", "0", "--out", "old"])
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    families[0]["good.py:check"] = ValueError("no tasks")
    command = ["audit", "good.py:check", "--rows", "rows.jsonl", "--fuzz", "0", "--out", "old"]
    assert main([*command, "--overwrite"]) == 2
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    families[0].clear()
    assert main([*command, "--overwrite"]) == 0
    assert sorted(path.name for path in (folder / "old").iterdir()) == [
        "audit.html", "audit.json", "audit.md",
    ]  # fmt: skip


SLOW = "import time\n\ndef check(reply, target):\n    time.sleep(0.005)\n    return True\n"


def test_a_slow_checker_is_announced(folder, capsys, monkeypatch):
    monkeypatch.setattr(runner, "CHECKS", ())
    (folder / "slow.py").write_text(SLOW)
    for seconds, said in ((1, True), (3000, False)):
        options = ["--rows", "rows.jsonl", "--seconds", str(seconds), "--overwrite"]
        assert main(["audit", "slow.py:check", *options]) == 0
        line = capsys.readouterr().out.splitlines()[0]
        assert line.startswith("slow.py:check: a call takes 0.0") == said, line
        assert ("(3 tasks, 100 random strings)" in line) == said
        assert line.endswith("s or more, over the limit of 1 s") == said


@pytest.mark.parametrize("family", FAMILIES)
def test_material_of_every_family(family):
    try:
        found = family_material(family, 3, 0)
    except ImportError as error:
        pytest.skip(str(error))
    assert len(found.rows) == len({row.name.split()[0] for row in found.rows}) == 3
    assert all(isinstance(row, Row) and row.prompt and row.near_misses for row in found.rows)
    assert len(found.pool) <= POOL
    assert not {row.witness for row in found.rows} & set(found.pool)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nope"], "'nope'"),
        (["nope.py:check"], "'nope.py'"),
        (["good.py:chekc"], "'chekc'; it has: check"),
        (["good.py"], "write good.py:NAME; it has: check"),
        (["good.py:check"], "no declared examples; give rows"),
        (["good.py:check", "--rows", "no.jsonl"], "no.jsonl"),
        (["good.py:check", "--rows", "rows.jsonl", "--reference", "nope"], "'nope'"),
        (["panagram", "--family", "nope"], "'nope'"),
        (["panagram", "--tasks", "0"], "--tasks is too small: 0"),
        (["panagram", "--fuzz", "-2"], "--fuzz is too small: -2"),
        (["panagram", "--seed", "-1"], "--seed is too small: -1"),
        (["panagram", "--seconds", "0"], "--seconds is too small: 0"),
        (["all", "--family", "panagram"], "audit all takes no --family"),
        (["panagram", "--resume"], "--resume is for audit all"),
        (["nope", "--family", "panagram"], "'nope'"),
        (["panagram", "--reference", "nope"], "'nope'"),
        (["panagrm"], "unknown family or checker 'panagrm'; did you mean 'panagram'? families: "),
        (["nope"], "'nope'; families: num_planning, "),
        (["nope"], "gsm8k, math, reasoning_gym/…"),
        (["panagram", "--family", "panagrm"], "'panagrm'; did you mean 'panagram'? known: num_"),
        (["reasoning_gym/nope"], "'reasoning_gym/nope'"),
        (["instruction_following"], "give --family instructions or --family ifeval or --family if"),
        (["constraints", "--rows", "rows.jsonl"], "'constraints' is a family: with --rows or"),
        (["panagram", "--rows", "rows.jsonl", "--family", "panagram"], "choose one of the two"),
    ],
    ids=" ".join,
)
def test_mistakes_are_one_line(folder, arguments, named, capsys):
    assert main(["audit", *arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("corgi-gym audit: error: ") and named in error and "\n" not in error
    assert not (folder / "runs").exists()


def test_rows_of_a_wrong_type_are_named(tmp_path):
    path = tmp_path / "rows.jsonl"
    for bad, named in (
        ({"prompt": "x", "witness": 3}, "row 1: witness must be a string, got 3"),
        ({"prompt": "x", "near_misses": "y"}, "near_misses must be a list of strings, got 'y'"),
        ({"prompt": "x", "closed": "no"}, "row 1: closed must be true or false, got 'no'"),
        ({"prompt": "x", "witnes": "y"}, "row 1 has the unknown field 'witnes'; did you mean 'wit"),
        ({"prompt": "x", "a": 1}, "the unknown field 'a'; known: prompt, target, witness, near_"),
    ):
        path.write_text(json.dumps(bad))
        with pytest.raises(ValueError, match=named):
            file_rows(str(path))


def test_rows_are_numbered_as_in_the_file(tmp_path):
    path = tmp_path / "rows.jsonl"
    rows = [{"prompt": 1}, {"prompt": "x", "name": "a"}, {"prompt": "y", "name": "a"}]
    path.write_text("\n".join(map(json.dumps, [*rows, {"prompt": "z", "witness": 3}])))
    with (
        pytest.warns(RuntimeWarning, match="row 3: field 'name' is 'a', as in row 2"),
        pytest.raises(ValueError, match="row 4: witness must be a string"),
    ):
        file_rows(str(path))


def test_rows_keep_every_field_of_a_file(tmp_path):
    path = tmp_path / "rows.jsonl"
    row = Row("Ask.", 3, "three", ("two",), False, "mine")
    given = {"prompt": "Ask.", "target": 3, "witness": "three", "near_misses": ["two"]}
    path.write_text(json.dumps({**given, "closed": False, "name": "mine"}))
    assert file_rows(str(path)) == [row]
    path.write_text(json.dumps(given))
    assert file_rows(str(path)) == [replace(row, closed=None, name="row 1 of rows.jsonl")]

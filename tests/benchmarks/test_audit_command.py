"""``corgi-gym audit``: names, rows, exit status, files, and every mistake in one line."""

import json

import pytest

from corgi_gym.__main__ import main
from corgi_gym.benchmarks.audit import POOL, family_material, file_rows, run_audit
from corgi_gym.envs import FAMILIES
from corgi_gym.rewards.audit import Row

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
    assert "good.py:check: 0 exploits, 0 defects, 0 notes (3 tasks, seed 0)" in text
    found = json.loads((folder / "runs/audit/audit.json").read_text())["audits"][0]
    assert found["checker"] == "good.py:check" and found["tasks"] == 3
    assert "good.py:check" in (folder / "runs/audit/audit.html").read_text()


def test_an_exploit_ends_with_1(folder, capsys):
    options = ["--rows", "rows.jsonl", "--fuzz", "0", "--tasks", "2", "--out", "found"]
    assert main(["audit", "bad.py:check", *options]) == 1
    assert "EXPLOIT basics.near_miss_paid" in capsys.readouterr().out
    found = json.loads((folder / "found/audit.json").read_text())["audits"][0]
    assert found["tasks"] == 2 and found["counts"]["exploit"] > 2


def test_a_family_is_audited_with_its_tasks_and_near_misses(tmp_path, capsys):
    options = ["--tasks", "6", "--fuzz", "30", "--out", str(tmp_path)]
    assert main(["audit", "countdown", *options]) == 0
    found = json.loads((tmp_path / "audit.json").read_text())["audits"][0]
    facts = {check["name"]: check["facts"] for check in found["checks"]}
    assert facts["basics"]["witnesses"] == 6 and facts["basics"]["near_misses"] > 60
    assert facts["determinism"]["processes"] == 3


def test_another_checker_can_be_tried_on_a_familys_tasks(tmp_path, capsys):
    options = ["--family", "panagram", "--reference", "panagram", "--tasks", "3", "--fuzz", "0"]
    assert run_audit("clustering", family="panagram", tasks=3, fuzz=0, out=str(tmp_path)) == 0
    assert "DEFECT" in capsys.readouterr().out  # clustering cannot judge these targets
    assert main(["audit", "panagram", *options, "--out", str(tmp_path)]) == 0
    assert "Compared with panagram" in capsys.readouterr().out


def test_all_audits_every_family_and_leaves_out_what_is_not_installed(
    tmp_path, monkeypatch, capsys
):
    from corgi_gym.benchmarks import audit as module

    def material(name, **options):
        if name == "clustering":
            raise ImportError('clustering needs pip install "corgi-gym[x]"')
        return family_material("panagram", 2, 0)

    monkeypatch.setattr(module, "material", material)
    monkeypatch.setattr(module, "family_names", lambda: ["panagram", "clustering", "countdown"])
    with pytest.warns(RuntimeWarning, match=r"clustering was left out: .*corgi-gym\[x\]"):
        assert run_audit("all", fuzz=0, out=str(tmp_path)) == 0
    names = [a["checker"] for a in json.loads((tmp_path / "audit.json").read_text())["audits"]]
    assert names == ["panagram", "countdown"]
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines[:2]] == ["panagram:", "countdown:"]
    assert [line[0] for line in lines[2:5]] == ["checker", "panagram", "countdown"]


@pytest.mark.parametrize("family", FAMILIES)
def test_material_of_every_family(family):
    try:
        found = family_material(family, 3, 0)
    except ImportError as error:
        pytest.skip(str(error))
    assert len(found.rows) == 3
    assert all(isinstance(row, Row) and row.prompt and row.near_misses for row in found.rows)
    assert len(found.pool) <= POOL
    assert not {row.witness for row in found.rows} & set(found.pool)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nope"], "'nope'"),
        (["nope.py:check"], "'nope.py'"),
        (["good.py:chekc"], "'chekc'; it has: check"),
        (["good.py:check"], "no declared examples; give rows"),
        (["good.py:check", "--rows", "no.jsonl"], "no.jsonl"),
        (["good.py:check", "--rows", "rows.jsonl", "--reference", "nope"], "'nope'"),
        (["panagram", "--family", "nope"], "'nope'"),
        (["panagram", "--tasks", "0"], "--tasks is too small: 0"),
        (["panagram", "--fuzz", "-2"], "--fuzz is too small: -2"),
        (["panagram", "--seed", "-1"], "--seed is too small: -1"),
        (["all", "--family", "panagram"], "audit all takes no --family"),
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
    ):
        path.write_text(json.dumps(bad))
        with pytest.raises(ValueError, match=named):
            file_rows(str(path))

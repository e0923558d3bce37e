"""The pytest plug-in in a pytest of its own: three lines of test, options, and no cost unused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEST = """
import pytest

ROWS = [{"prompt": f"Repeat {n}.", "target": str(n), "witness": str(n)} for n in (111, 222, 333)]

def exact(reply, target):
    return reply.strip() == target

def contains(reply, target):
    return target in reply

def test_exact(audit_checker):
    assert audit_checker(exact, rows=ROWS).facts("fuzz")["strings"] > 0

def test_contains(audit_checker):
    audit_checker(contains, rows=ROWS)

@pytest.mark.audit(fuzz=0, fail_on="exploit")
def test_marker(audit_checker):
    assert audit_checker.fail_on == "exploit"
    assert audit_checker(exact, rows=ROWS).facts("fuzz")["strings"] == 0
"""


@pytest.fixture
def run_pytest(tmp_path):
    """Runs a test file in a new pytest with the plug-in; returns status and output."""

    def run(text: str, *arguments: str, ini: str = "") -> tuple[int, str]:
        (tmp_path / "test_mine.py").write_text(text)
        (tmp_path / "pytest.ini").write_text(f"[pytest]\n{ini}")
        # the module as an installed wheel would have it
        (tmp_path / "corgi_gym_pytest.py").write_text((ROOT / "corgi_gym_pytest.py").read_text())
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "corgi_gym_pytest", "--strict-markers", "-q",
             "-p", "no:cacheprovider", *arguments, "test_mine.py"],
            cwd=tmp_path,
            # by name and once, whether or not the package's entry point is installed
            env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    return run


def test_three_lines_pass_a_good_checker_and_fail_a_gameable_one(run_pytest):
    status, text = run_pytest(TEST, ini="corgi_audit_fuzz = 30\n")
    assert status == 1 and "1 failed, 2 passed" in text, text
    assert "EXPLOIT probe.negation" in text and "FAILED test_mine.py::test_contains" in text


def test_an_unknown_severity_is_named(run_pytest):
    status, text = run_pytest(TEST, ini="corgi_audit_fail_on = never\n")
    assert status == 1
    assert "fail_on='never' (corgi_audit_fail_on, or the marker's) is unknown" in text


def test_a_number_that_is_none_is_named(run_pytest):
    status, text = run_pytest(TEST, ini="corgi_audit_fuzz = abc\n")
    assert status == 1 and "corgi_audit_fuzz must be an integer, got 'abc'" in text


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ("fuz=1", "@pytest.mark.audit has no option 'fuz'; did you mean 'fuzz'? known: fail_on, "),
        ("zzz=1", "@pytest.mark.audit has no option 'zzz'; known: fail_on, pool, reference, fuzz"),
        ("100", "@pytest.mark.audit takes options by name only, got (100,)"),
    ],
)
def test_a_mistake_in_the_mark_is_named(run_pytest, mark, said):
    status, text = run_pytest(TEST.replace('fuzz=0, fail_on="exploit"', mark), "-k", "marker")
    assert status == 1 and said in text, text


def test_the_report_names_no_file_that_is_not_written(run_pytest, tmp_path):
    status, text = run_pytest(TEST, "-k", "contains", ini="corgi_audit_fuzz = 0\n")
    assert status == 1 and "  (2 more)" in text and "audit.json" not in text, text
    assert not list(tmp_path.rglob("audit.json"))


def test_unused_it_imports_nothing(run_pytest):
    code = (
        "import sys\n"
        "def test_nothing():\n"
        "    heavy = {'corgi_gym', 'numpy', 'gymnasium', 'rich'} & set(sys.modules)\n"
        "    assert not heavy\n"
    )
    status, text = run_pytest(code)
    assert status == 0 and "1 passed" in text, text

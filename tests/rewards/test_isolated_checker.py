"""Checkers by ``isolated:NAME``: verdicts as without it; what is no checker is an error at once."""

import sys

import pytest

from corgi_gym.rewards import get_checker, judge
from corgi_gym.rewards.isolated_checker import GUARD_THEMSELVES, isolated


@pytest.mark.parametrize("name", ["countdown", *sorted(GUARD_THEMSELVES)])
def test_an_isolated_checker_gives_the_verdicts_of_the_checker(name):
    plain, guarded = get_checker(name), get_checker(f"isolated:{name}")
    for example in plain.examples[:6]:
        verdict = judge(guarded, example.reply, example.target)
        assert verdict == judge(plain, example.reply, example.target)
        assert verdict.status == "scored" and verdict.success == example.passes


def test_a_symbolic_answer_is_judged_isolated_too():
    pytest.importorskip("math_verify")
    for which in ("math_verify", "corgi_gym.rewards.math_verify:math_verify"):
        check = get_checker(f"isolated:{which}")
        assert judge(check, r"So $\boxed{1 + x^2}$", "$x^2 + 1$").success
        wrong = judge(check, r"So $\boxed{1 - x^2}$", "$x^2 + 1$")
        assert wrong.status == "scored" and not wrong.success


def test_a_checker_that_needs_a_process_of_its_own_says_that_it_may_not(tmp_path, monkeypatch):
    (tmp_path / "puzzle_of_mine.py").write_text(
        "from corgi_gym.rewards import get_checker\ncheck = get_checker('reasoning_gym').function\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    target = {"family": "sokoban", "answers": ["LL"], "items": [0]}
    verdict = judge(isolated("puzzle_of_mine:check", deadline=30.0), "Answer: RRUL", target)
    assert verdict.status == "unscored"
    assert "a guarded process may not start another one" in verdict.problems[0].message


@pytest.mark.parametrize(
    "which", ["no_such_module:f", "no_such_package.module:f", ":f", "__main__:f"]
)
def test_a_module_that_is_not_there_is_an_error_at_once(which):
    package = which.partition(":")[0].partition(".")[0]
    with pytest.raises(ValueError, match=f"isolated:{which}: no module named {package!r}"):
        get_checker(f"isolated:{which}")


def test_looking_for_a_module_runs_none_of_its_code(tmp_path, monkeypatch):
    package = tmp_path / "looked_for"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit")
    monkeypatch.syspath_prepend(tmp_path)
    verdict = judge(isolated("looked_for.inner:check"), "A reply.", None)
    assert verdict.status == "unscored" and "SystemExit" in verdict.problems[0].message
    assert "looked_for" not in sys.modules


@pytest.mark.parametrize("which", ["", "  ", "isolated:countdown"])
def test_what_is_no_name_is_refused(which):
    with pytest.raises(ValueError, match="takes the name of a checker"):
        isolated(which)

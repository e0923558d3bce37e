"""The published cases of reward-doctor 0.2.0 (Apache-2.0; data only, in data/reward_doctor.json).

`benchmarks/peers/reward_doctor_cases.py` reads them from the package itself and writes this file.
"""

import json
from pathlib import Path

import pytest

from corgi_gym.rewards import get_checker, judge

CASES = json.loads((Path(__file__).parent / "data" / "reward_doctor.json").read_text())["cases"]
CLEAR = [case for case in CASES if not case["contested"]]
MATH_VERIFY = get_checker("math_verify")
# Refused on purpose: 2/4 is a sum undone, like 84/2 for 42.
REFUSED = {"eq.frac.unreduced"}


def of(*categories):
    return [pytest.param(c, id=c["id"]) for c in CLEAR if c["category"] in categories]


@pytest.mark.parametrize("case", of("exploit", "distinction"))
def test_no_exploit_is_paid_and_no_other_answer(case):
    text = case["completion"]
    for reply in (text, f"Answer: {text}", f"Let me see.\n{text}"):
        verdict = judge(MATH_VERIFY, reply, case["reference"])
        assert verdict.status == "scored" and verdict.score == 0.0, (reply, verdict)


@pytest.mark.parametrize("case", of("equivalence"))
def test_other_forms_of_the_answer_count_in_the_asked_place(case):
    pytest.importorskip("math_verify", reason='needs pip install "corgi-gym[math]"')
    verdict = judge(MATH_VERIFY, f"Answer: {case['completion']}", case["reference"])
    assert verdict.success is (case["id"] not in REFUSED), verdict.problems


def test_at_most_one_in_twenty_equivalent_forms_is_refused():
    assert len(REFUSED) <= 0.05 * len(of("equivalence"))
    assert len(of("exploit")) == 24 and len(of("equivalence")) == 38


@pytest.mark.parametrize(
    ("reply", "target", "right"),
    [
        ("1e3", "1000", True),
        ("1.5E+2", "150", False),
        ("-2e-1", "-1/5", True),
        ("1e4", "1000", False),
        ("1 1/2", "3/2", True),
        ("-1 1/2", "-3/2", True),
        ("1 3/2", "5/2", False),  # not a mixed number
        ("1 2/4", "3/2", False),
        ("(5)", "5", True),
        ("(-5)", "-5", True),
        ("(5, 6)", "5", False),
        ("0.333333", "1/3", True),
        ("0.666667", "2/3", True),
        ("0.666666", "2/3", True),
        ("0.66667", "2/3", False),
        ("0.666668", "2/3", False),
        ("0.750000", "3/4", True),
        ("0.750001", "3/4", False),
        ("the derivative", "derivative", True),
        ("derivative", "the derivative", True),
        ("the integral", "the derivative", False),
    ],
)
def test_number_forms_by_hand(reply, target, right):
    assert judge(MATH_VERIFY, f"Answer: {reply}", target).success is right

"""Rules: what they keep, and how they are written."""

import pytest

from corgi_gym.benchmarks.gap.selection import parse_rule

VALUES = {"mc": [0.9, 0.5, None, 0.2], "cot_s": [0.8, 0.8, 0.8, 0.1], "x@m/y": [1.0, 0, None, 0]}


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        ("mc>=0.5", [True, True, None, False]),
        ("mc >= .95", [False, False, None, False]),
        ("mc top 0.25", [True, False, None, False]),  # one of the three that have a value
        ("mc top 1", [True, True, None, True]),
        ("cot_s top 0.25", [True, True, True, False]),  # all that tie with the best
        ("mc>=0.5 and cot_s>=0.8", [True, True, None, False]),
        ("mc>=0.9 and cot_s top 0.5", [True, False, None, False]),
        ("mc>=0.1 and cot_s>=0.9", [False, False, False, False]),  # one no is enough
        ("x@m/y>=1", [True, False, None, False]),
    ],
)
def test_what_a_rule_keeps(rule, kept):
    assert parse_rule(rule).keeps(VALUES) == kept


@pytest.mark.parametrize(
    ("share", "count", "kept"), [(0.28, 25, 7), (0.14, 50, 7), (0.55, 100, 55), (0.3, 4, 2)]
)
def test_a_share_is_a_decimal_fraction(share, count, kept):
    values = {"mc": [n / count for n in range(count)]}
    assert sum(parse_rule(f"mc top {share}").keeps(values)) == kept


def test_a_verifier_may_have_spaces_in_its_name():
    rule = parse_rule("mc@my models/a and b >=0.5 and cot_b@my models/a and b top 0.25")
    assert rule.verifiers == ["mc@my models/a and b", "cot_b@my models/a and b"]


def test_nothing_is_kept_of_nothing():
    assert parse_rule("mc top 0.5").keeps({"mc": [None, None]}) == [None, None]


def test_one_rule_has_one_name():
    assert parse_rule("mc >=  0.50   and cot_s top .25").name == "mc>=0.5 and cot_s top 0.25"
    assert parse_rule("mc>=0.5 and cot_b>=1").verifiers == ["mc", "cot_b"]


@pytest.mark.parametrize(
    "rule", ["", "mc", "mc>0.5", "mc>=high", "mc>=1.5", "mc top 0", "a>=1 or b>=1"]
)
def test_anything_else_is_no_rule(rule):
    with pytest.raises(ValueError, match=r"is no rule; write it like|must be in"):
        parse_rule(rule)

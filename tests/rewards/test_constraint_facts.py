"""Contradictions at their limits: one set just inside and one just outside, reasoned by hand.

What is found in many more sets stands in `data/contradictions.txt` (`test_records.py`).
"""

import pytest

from corgi_gym.rewards.constraints import ConstraintError, check_satisfiable, find_conflict, parse
from corgi_gym.rewards.constraints.describe import describe
from corgi_gym.rewards.constraints.language import MAX_VALUE_CHARS

EACH, SECOND = {"level": "sentence", "at": "each"}, {"level": "sentence", "at": 2}


def count(level, relation, value, transform="count", **more):
    return {"level": level, "transform": transform, "relation": relation, "value": value, **more}


def word(at, value, **more):
    return {**count("word", "==", value, "text", **more), "at": at}


def contains(value, level="text", **more):
    return {**count(level, "==", value, "contains"), **more}


def share(relation, value, **more):
    return count("word", relation, value, "share", of="a", **more)


def paths(*constraints):
    """Numbers of the constraints in conflict."""
    found = find_conflict(parse(list(constraints)))
    return found and [int(path[path.index("[") + 1 : path.index("]")]) for path in found]


@pytest.mark.parametrize(
    ("one", "fits", "clashes"),
    [
        # n words take n - 1 spaces and at least n characters
        ([count("word", ">=", 5)], count("text", "<=", 9, "length"),
         count("text", "<=", 8, "length")),
        ([count("word", "in", [5, 9])], count("character", "<=", 9), count("character", "<=", 8)),
        # 9 characters hold 5 words at most, so that of "3 or 9" only 3 is left
        ([count("word", "in", [3, 9]), count("word", "!=", 3)], count("character", "<=", 17),
         count("character", "<=", 16)),
        # sentences of at most one word: three words take three of them
        ([count("word", "<=", 1, part=EACH), count("word", ">=", 3)],
         count("sentence", "in", [2, 3]), count("sentence", "in", [1, 2])),
        ([count("word", "<=", 1, part=EACH), count("sentence", "in", [2, 9]),
          count("sentence", "!=", 9)], count("word", ">=", 2), count("word", ">=", 3)),
        ([count("word", "<=", 2, part=EACH), count("sentence", "in", [2, 9]),
          count("sentence", "!=", 9)], count("word", ">=", 4), count("word", ">=", 5)),
        ([count("word", ">=", 3, part=EACH), count("sentence", "in", [2, 4]),
          count("sentence", "!=", 2)], count("word", "<=", 12), count("word", "<=", 11)),
        # different words need room, in the text and in a part, and are different
        ([contains("a"), contains("bee"), contains("tree")], count("word", "<=", 3),
         count("word", "<=", 2)),
        ([contains("a", "sentence", at=2), contains("bee", "sentence", at=2),
          contains("tree", "sentence", at=2)], count("word", "<=", 3, part=SECOND),
         count("word", "<=", 2, part=SECOND)),
        ([contains("a"), contains("bee"), contains("tree")], count("word", "<=", 3, "distinct"),
         count("word", "<=", 2, "distinct")),
        # and bring their letters
        ([contains("bee"), contains("tree")], count("character", "<=", 4, of="e"),
         count("character", "<=", 3, of="e")),
        # the 2nd word is the last but one where there are three
        ([word(2, "a"), word(-2, "bee")], count("word", "==", 4), count("word", "==", 3)),
        ([word(1, "a"), word(-3, "bee")], count("word", "==", 4), count("word", "==", 3)),
        # what a part has, the text has, with the spaces
        ([count("word", ">=", 5, part=SECOND)], count("text", "<=", 9, "length"),
         count("text", "<=", 8, "length")),
        # a range of 65 values is tried one by one, a wider one is not
        ([count("word", "<=", 1, part=EACH), count("sentence", "<=", 9)], count("word", "==", 9),
         count("word", "==", 10)),
        # a place that is named is there
        ([word(3, "a", part=SECOND)], count("sentence", "<=", 2), count("sentence", "<=", 1)),
        ([word(-3, "a", part=SECOND)], count("word", "<=", 3, part=EACH),
         count("word", "<=", 2, part=EACH)),
        # shares that touch in one value
        ([share(">=", 0.5)], share("<=", 0.5), share("<", 0.5)),
        ([share("==", 0.5)], share(">=", 0.5), share(">", 0.5)),
        ([share("<=", 0.25)], share(">=", 0.25), share("==", 0.3)),
        ([share(">=", 0.5, part=SECOND)], share("<", 0.5), share("<", 0.5, part=SECOND)),
    ],
)  # fmt: skip
def test_limits(one, fits, clashes):
    assert paths(*one, fits) is None
    assert paths(*one, clashes) == list(range(len(one) + 1))  # each of them is needed


def test_a_share_is_more_than_nothing_and_less_than_all():
    assert paths(share("<", 0)) == paths(share(">", 1)) == [0]
    assert paths(share("<=", 0)) is paths(share(">=", 1)) is None


def test_shares_of_other_words_do_not_matter():
    bee = {**share("<=", 0.25), "of": "bee"}
    assert paths(share(">=", 0.5), bee, share("<", 0.5)) == [0, 2]


def test_none_in_each_sentence_is_none_in_all():
    none = count("word", "==", 0, of="so", part=EACH)
    assert paths(none) is None
    some = count("word", ">=", 1, of="so")
    assert paths(none, count("sentence", "<=", 9), some) == [0, 1, 2]


def test_a_word_can_be_lacking():
    lacking = {**contains("dog"), "relation": "!="}
    assert paths(lacking) is None
    assert paths(lacking, count("word", "==", 0, of="dog")) is None
    assert paths(lacking, count("word", ">=", 1, of="dog")) == [0, 1]


def test_64_values_are_tried_one_by_one():
    def without(values):
        most = count("word", "<=", values)
        return [most, *(count("word", "not in", list(range(i, min(i + 32, values + 1))))
                        for i in range(1, values + 1, 32))]  # fmt: skip

    assert paths(*without(65)) is not None and paths(*without(66)) is None


def test_only_what_a_conflict_needs_is_named():
    few = count("word", "<=", 1)
    assert len(paths(contains("a"), contains("bee"), contains("tree"), few)) == 3
    assert paths(contains("a"), word(2, "bee"), few) == [1, 2]


def test_the_last_of_64_nested_alternatives_counts():
    """Where it alone has a solution, there is one."""
    either = {"or": [count("word", "==", 5), count("word", "==", 4)]}
    nested = {"or": [{"and": [{"and": [either] * 6}]}]}
    assert paths(count("word", "==", 4), nested) is None
    assert paths(count("word", "==", 3), nested) is not None
    beyond = {"or": [{"and": [{"and": [either] * 7}]}]}
    assert paths(count("word", "==", 3), beyond) is None  # nothing is claimed


def test_65_alternatives_are_too_many():
    five, thirteen = ({"or": [count("word", "==", i) for i in range(4, 4 + n)]} for n in (5, 13))
    assert paths(five, thirteen, count("word", "==", 3)) is None
    twelve = {"or": thirteen["or"][:12]}
    assert paths(five, twelve, count("word", "==", 3)) is not None


def test_what_is_at_no_place_holds_no_opposite():
    """One word of two letters will do: there is no second one of at most three letters."""
    at_most_three = count("word", "<=", 3, "length")
    assert paths({**at_most_three, "at": "each"}, {"not": {**at_most_three, "at": 2}}) is None


@pytest.mark.parametrize(
    ("constraints", "error"),
    [
        ([count("word", "<", 1)],
         "unsatisfiable: constraints[0] (the text has less than 1 word) cannot hold"),
        ([{"not": count("word", "==", 4)}, count("word", "==", 4)],
         "unsatisfiable: constraints[1] (the text has exactly 4 words) and constraints[0].not (the "
         "text has exactly 4 words) contradict each other"),
        ([{"or": [count("word", "==", 3), {"not": count("word", "<=", 4)}]},
          count("word", "==", 4)],
         "unsatisfiable: constraints[1] (the text has exactly 4 words) and constraints[0].or[0] "
         "(the text has exactly 3 words) and constraints[0].or[1].not (the text has at most 4 "
         "words) contradict each other"),
    ],
)  # fmt: skip
def test_errors(constraints, error):
    with pytest.raises(ConstraintError) as found:
        check_satisfiable(parse(constraints))
    assert str(found.value) == error


def test_the_longest_words_are_shown_whole():
    long = "x" * MAX_VALUE_CHARS
    node = parse(contains(long)).nodes[0]
    assert describe(node) == f'The text must contain the word "{long}".'
    node = parse(count("word", "==", 2, of=long)).nodes[0]
    assert describe(node) == f'The text must contain the word "{long}" exactly 2 times.'

"""Contradictions: found where they are obvious, and never claimed of a set with a solution."""

import random

import pytest

from corgi_gym.rewards.constraints import (
    ConstraintError,
    Passage,
    check_satisfiable,
    find_conflict,
    holds,
    parse,
)

EACH = {"level": "sentence", "at": "each"}


def count(level, relation, value, **more):
    return {"level": level, "transform": "count", "relation": relation, "value": value, **more}


def at(place, word, relation="==", **more):
    return {
        "level": "word", "at": place, "transform": "text", "relation": relation, "value": word,
        **more,
    }  # fmt: skip


def text(transform, value, relation="=="):
    return {"level": "text", "transform": transform, "relation": relation, "value": value}


W, S = "word", "sentence"
CONTRADICTIONS = {
    "equal and larger": [count(W, "==", 3), count(W, ">", 4)],
    "nothing left of a list": [count(W, "in", [3, 4]), count(W, "not in", [3, 4, 5])],
    "two lists": [count(W, "in", [3, 4]), count(W, "in", [5, 6])],
    "a gap without a number": [count(W, ">", 3), count(W, "<", 5), count(W, "!=", 4)],
    "more sentences than words": [count(W, "<", 3), count(S, ">=", 4)],
    "more paragraphs than lines": [count("line", "==", 1), count("paragraph", "==", 2)],
    "too few characters": [text("length", 10, "<"), count(W, ">", 5)],
    "sentences too short": [count(W, "<=", 4, part=EACH), count(S, "<=", 2), count(W, ">=", 9)],
    "sentences too long": [count(W, ">=", 4, part=EACH), count(S, ">=", 3), count(W, "<=", 11)],
    "one sentence too short": [
        count(W, "<=", 4, part=EACH), at(5, "x", part={"level": S, "at": 2}),
    ],
    "a part larger than the text": [
        count(W, "==", 9, part={"level": S, "at": 1}), count(W, "<", 9),
    ],
    "a missing place": [at(7, "x"), count(W, "<=", 6)],
    "two first words": [at(1, "a"), at(1, "b")],
    "first and last of one word": [at(1, "a"), at(-1, "b"), count(W, "==", 1)],
    "start and second word": [text("starts", "the dog"), at(2, "cat")],
    "contained and counted": [text("contains", "the dog"), count(W, "==", 0, of="dog")],
    "contained and not": [text("contains", "dog"), text("contains", "dog", "!=")],
    "ends with a banned letter": [text("ends", "tree"), count("character", "<", 2, of="e")],
    "words of all sentences": [
        count(W, ">=", 1, part=EACH, of="so"), count(S, ">", 2), count(W, "<", 3, of="so"),
    ],
    "distinct": [{**count(W, ">", 5), "transform": "distinct"}, count(W, "<=", 5)],
    "not": [{"not": count(W, "==", 5)}, count(W, "==", 5)],
    "both of an or": [{"or": [count(W, "<", 3), count(W, "<", 2)]}, {"not": count(W, "<=", 5)}],
    "fractions": [
        {"level": W, "transform": "ratio", "relation": ">", "value": 0.5},
        {"level": W, "transform": "ratio", "relation": "<=", "value": 0.5},
    ],
    "no words at all": [count(W, "==", 0)],
}  # fmt: skip


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_contradictions_are_found(name):
    constraints = CONTRADICTIONS[name]
    harmless = count("paragraph", "<=", 9)
    paths = find_conflict(parse([harmless, *constraints]))
    assert paths is not None and "constraints[0]" not in paths  # only those in conflict
    assert len(paths) <= len(constraints) + 1
    # each of them is needed
    for i in range(len(constraints)):
        rest = constraints[:i] + constraints[i + 1 :]
        assert not rest or name == "both of an or" or find_conflict(parse(rest)) is None


def test_the_error_names_both_and_says_what_they_ask():
    with pytest.raises(ConstraintError) as error:
        check_satisfiable(parse({"and": [count(W, "==", 3), count(S, ">", 4)]}))
    assert str(error.value) == (
        "unsatisfiable: constraints.and[0] (the text has exactly 3 words) and constraints.and[1] "
        "(the text has more than 4 sentences) contradict each other"
    )


@pytest.mark.parametrize(
    "constraints",
    [
        [count(W, "<=", 4, part=EACH), count(S, "<=", 2), count(W, ">=", 8)],
        [
            count(W, ">=", 9, part={"level": S, "at": "any"}),
            count(W, "<=", 2, part={"level": S, "at": 1}),
        ],
        [at(2, "a"), at(-2, "b"), count(W, "!=", 3)],
        [{"or": [count(W, "<", 3), count(W, ">", 9)]}, count(W, ">", 5)],
        [{"not": at(1, "a")}, at(2, "a")],
        [text("starts", "the dog"), text("ends", "dog"), count(W, "==", 2)],
    ],
)
def test_satisfiable_sets_pass(constraints):
    check_satisfiable(parse(constraints))


def random_set(rng):
    def one():
        kind = rng.randrange(9)
        relation = rng.choice(["==", "!=", "<", "<=", ">", ">="])
        part = rng.choice(
            [
                None,
                None,
                {
                    "level": rng.choice([S, "paragraph"]),
                    "at": rng.choice([1, 2, -1, "each", "any"]),
                },
            ]
        )
        more = {"part": part} if part else {}
        if kind < 2:
            return count(W, relation, rng.randint(0, 4), **more)
        if kind == 2:
            return count(W, relation, rng.randint(0, 2), of=rng.choice("ab"), **more)
        if kind == 3:
            return count(rng.choice([S, "line", "paragraph"]), relation, rng.randint(0, 3))
        if kind == 4:
            return at(
                rng.choice([1, 2, 3, -1, -2, "each", "any"]),
                rng.choice("ab"),
                rng.choice(["==", "!="]),
                **more,
            )
        if kind == 5:
            value = rng.choice(["a", "b", "a b", "b a"])
            return text(rng.choice(["starts", "ends", "contains"]), value, rng.choice(["==", "!="]))
        if kind == 6:
            return {**count(W, relation, rng.randint(1, 3)), "transform": "distinct"}
        if kind == 7:
            return {
                "level": S,
                "at": rng.choice([1, 2, -1, "each"]),
                "relation": "==",
                "transform": rng.choice(["starts", "ends", "contains", "text"]),
                "value": rng.choice(["a", "b", "a b"]),
            }
        return count("character", relation, rng.randint(0, 2), of=rng.choice("ab"))

    def node(depth):
        kind = rng.randrange(6)
        if depth and kind == 0:
            return {"not": node(depth - 1)}
        if depth and kind == 1:
            return {"or": [node(depth - 1), node(depth - 1)]}
        return one()

    return [node(2) for _ in range(rng.randint(2, 4))]


def test_no_set_with_a_solution_is_called_contradictory():
    """Soundness, against all texts of up to five words and full stops and line breaks."""
    pieces = ("a", "b", "a.", "b.")
    texts = set(pieces)
    for joint in (" ", "\n", "\n\n"):
        texts |= {f"{t}{joint}{p}" for t in sorted(texts) if len(t) < 6 for p in pieces}
    rng = random.Random(0)
    for _ in range(3):
        texts |= {
            f"{t}{rng.choice([' ', chr(10), chr(10) * 2])}{rng.choice(pieces)}"
            for t in rng.sample(sorted(texts), 150)
        }
    passages = [Passage(t) for t in sorted(texts)]
    found = without = 0
    for _ in range(1500):
        constraints = parse(random_set(rng))
        solution = next((t for t in passages if all(holds(n, t) for n in constraints.nodes)), None)
        conflict = find_conflict(constraints)
        found += conflict is not None
        without += solution is None
        assert conflict is None or solution is None, (constraints, conflict, solution.text)
    assert found > 0.5 * without > 100  # and it does find most of what is small

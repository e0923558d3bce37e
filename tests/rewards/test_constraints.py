"""The language of constraints: its meaning, its English, its errors, and the checker."""

import json
import random
import re
from fractions import Fraction
from itertools import pairwise, product

import pytest

from corgi_gym.rewards import judge
from corgi_gym.rewards.constraints import (
    ConstraintError,
    Passage,
    constraint_grammar,
    describe,
    holds,
    parse,
    to_data,
)
from corgi_gym.rewards.constraints.describe import clause

WORD = {"level": "word", "transform": "count"}
TEXTS = [
    "The dog ran home.",
    "A cat! Why? The dog sat, and it was sad.\nThen it ran.\n\nThe end came soon.",
    "one",
    "The the THE\nthe. A b, c d. e f g h i j k l m n o",
    'Mr. Fox met J. Smith at 3.5 p.m. sharp... and left. "No!" said she.\n\n***\n\nIt\'s over.',
]
PLACES = [1, 2, 3, -1, -2, "each", "any"]


def leaf(**changes):
    return {**WORD, "relation": "==", "value": 4, **changes}


def random_leaf(rng, text):
    """Any well-formed leaf; its values are near to what the text has."""
    words = [w.lower() for w in re.findall(r"[a-z]+", text, re.I)] or ["a"]
    numbers = ["==", "!=", "<", "<=", ">", ">="]
    transform = rng.choice(
        ["count", "of", "distinct", "ratio", "share", "sum", "length", "text", "contains", "starts"]
    )
    data = {"transform": {"of": "count"}.get(transform, transform)}
    if transform in ("of", "share"):
        data["level"] = rng.choice(["word", "character"])
        word = rng.choice(words)
        data["of"] = word if data["level"] == "word" else rng.choice(word)
    elif transform in ("distinct", "ratio") or transform in ("text", "sum"):
        data["level"] = rng.choice(["line", "sentence", "word"])
    elif transform == "count":
        data["level"] = rng.choice(["paragraph", "line", "sentence", "word", "character"])
    else:
        data["level"] = rng.choice(["text", "paragraph", "line", "sentence", "word"])
    if transform in ("text", "contains", "starts"):
        value = rng.choice(words)
        if data["level"] == "word" and transform != "text":
            value = value[: rng.randint(1, 3)]
        relation = rng.choice(["==", "!=", "in", "not in"])
        many = sorted({value, rng.choice(words)})
        data |= {"relation": relation, "value": many if "in" in relation else value}
    elif transform in ("ratio", "share"):
        data |= {"relation": rng.choice(numbers), "value": rng.randint(0, 10) / 10}
    else:
        relation = rng.choice([*numbers, "in", "not in"])
        values = sorted({rng.randint(0, 12), rng.randint(0, 6)})
        data |= {"relation": relation, "value": values if "in" in relation else values[0]}
    if transform in ("length", "text", "contains", "starts") and data["level"] != "text":
        data["at"] = rng.choice(PLACES)
    larger = {"character": ["word"], "word": ["sentence"], "sentence": ["paragraph"]}
    if rng.random() < 0.4 and data["level"] in larger:
        data["part"] = {"level": rng.choice(larger[data["level"]]), "at": rng.choice(PLACES)}
    return data


@pytest.fixture(scope="module")
def leaves():
    rng = random.Random(5)
    return [random_leaf(rng, rng.choice(TEXTS)) for _ in range(600)]


def ok(data, text):
    return holds(parse(data).nodes[0], Passage(text))


# ---------------------------------------------------------------- data


def test_data_survives_parsing_json_and_describing(leaves):
    for data in leaves:
        node = parse(data).nodes[0]
        again = parse(json.loads(json.dumps(to_data(node)))).nodes[0]
        assert again == node
        assert describe(again) == describe(node) and clause(again) == clause(node)
        assert (
            parse({"or": [data, {"not": data}]}).nodes[0]
            == parse(to_data(parse({"or": [data, {"not": data}]}).nodes[0])).nodes[0]
        )


def test_equal_descriptions_mean_equal_constraints(leaves):
    """A description says everything: two constraints with one sentence hold for the same texts."""
    meaning = {}
    for data in leaves:
        node = parse(data).nodes[0]
        for text in (describe(node), clause(node)):
            same = meaning.setdefault(text, node)
            key = to_data(node) | {"value": str(sorted(map(str, [node.value])))}
            assert key == to_data(same) | {"value": str(sorted(map(str, [same.value])))}, text
    assert len(meaning) > 800


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (leaf(relation="approx"), "constraints.relation: 'approx'; choose from ==, !=, <"),
        ({"and": [leaf(), leaf(relation="=")]}, "constraints.and[1].relation: '='; choose"),
        ([leaf(), {"or": [leaf(level="page")]}], "constraints[1].or[0].level: 'page'; choose"),
        ([leaf(value=3.5)], "constraints[0].value: 3.5; 'count' takes a whole number"),
        ([leaf(value=True)], "constraints[0].value: True"),
        ([leaf(value=-1)], "constraints[0].value: -1"),
        ([leaf(value=10**9)], "constraints[0].value: 1000000000"),
        ([leaf(value="4")], "constraints[0].value: '4'"),
        ([leaf(relation="in")], "constraints[0].value: 4; 'in' takes a list"),
        ([leaf(relation="in", value=[])], "constraints[0].value: []"),
        ([leaf(relation="in", value=[3, "x"])], "constraints[0].value[1]: 'x'"),
        ([leaf(at=3)], "constraints[0].at: 3; a constraint on all units ('count')"),
        ([leaf(transform="length")], "constraints[0].at: missing"),
        ([leaf(transform="length", at=0)], "constraints[0].at: 0; choose a number from 1"),
        ([leaf(transform="length", at="some")], "constraints[0].at: 'some'"),
        ([leaf(transform="length", at=[1])], "constraints[0].at: [1]"),
        ([leaf(of="two words")], "constraints[0].of: 'two words'; give one word"),
        ([leaf(level="character", of="ab")], "constraints[0].of: 'ab'; give one character"),
        ([leaf(transform="share")], "constraints[0].of: missing"),
        ([leaf(transform="sum", of="x")], "constraints[0].of: 'sum' of a word takes none"),
        ([leaf(transform="ratio", value=1.5)], "constraints[0].value: 1.5; 'ratio' takes"),
        ([leaf(transform="ratio", value=float("nan"))], "constraints[0].value: nan"),
        ([leaf(transform="text", at=1)], "constraints[0].value: 4; give a text"),
        ([leaf(transform="text", at=1, value="!")], "constraints[0].value: '!'; give one word"),
        ([leaf(transform="text", at=1, relation="<", value="a")], "constraints[0].relation: '<'"),
        ([leaf(transform="starts", at=1, value='a"b')], "give letters of a word"),
        ([leaf(part="sentence")], "constraints[0].part: 'sentence'; give"),
        ([leaf(part={"level": "word", "at": 1})], "constraints[0].part.level: 'word'; must be"),
        ([leaf(part={"level": "line", "at": "x"})], "constraints[0].part.at: 'x'"),
        ([{"level": "word"}], "constraints[0].transform: missing"),
        ([leaf(extra=1)], "constraints[0]: unknown field 'extra'"),
        ([leaf(weight=0)], "constraints[0].weight: 0"),
        ([{"or": [leaf(weight=2)]}], "constraints[0].or[0]: unknown field 'weight'"),
        ([{"or": [leaf()], "not": leaf()}], "constraints[0]: 'or' stands alone"),
        ([{"or": []}], "constraints[0].or: []; give a list"),
        ([{"not": [leaf()]}], "constraints[0].not: [{"),
        ([], "constraints is empty"),
        (None, "constraints: None; a constraint is a dict"),
        ("text", "constraints: 'text'; a constraint is a dict"),
        ([leaf()] * 33, "constraints: more than 32 constraints"),
        ([json.loads('{"not":' * 9 + json.dumps(leaf()) + "}" * 9)], "nested deeper than 8"),
    ],
)
def test_errors_name_the_field(data, error):
    with pytest.raises(ConstraintError, match=f"^{re.escape(error)}|.*{re.escape(error)}"):
        parse(data)
    verdict = judge(constraint_grammar, "Some reply.", data)
    assert verdict.status == "unscored" and error in verdict.problems[0].message


# ---------------------------------------------------------------- meaning


def test_segments():
    text = Passage(TEXTS[4])
    assert [s.text for s in text.units("sentence")] == [
        "Mr. Fox met J. Smith at 3.5 p.m. sharp... and left.",
        '"No!" said she.',
        "It's over.",
    ]
    assert text.count("paragraph") == 2 and text.count("line") == 2  # *** is none
    for level in ("paragraph", "line", "sentence", "word", "character"):
        for unit in text.units(level):
            assert TEXTS[4][slice(*unit.span)] == unit.text


def naive(data, text):
    """The meaning of a leaf on texts of words, full stops and line breaks, written differently."""

    def cut(piece, level):
        if level == "paragraph":
            return [p for p in piece.split("\n\n") if re.search("[a-z]", p)]
        if level == "line":
            return [p for p in piece.split("\n") if re.search("[a-z]", p)]
        if level == "sentence":
            marked = re.sub(r"\.\s", ".|", piece.replace("\n\n", "|"))
            return [s for s in marked.split("|") if re.search("[a-z]", s)]
        if level == "word":
            return re.findall("[a-z]+", piece)
        return list(piece.strip()) if level == "character" else [piece]

    def relate(value):
        wanted = data["value"]
        table = {
            "==": lambda: value == wanted, "!=": lambda: value != wanted,
            "<": lambda: value < wanted, "<=": lambda: value <= wanted,
            ">": lambda: value > wanted, ">=": lambda: value >= wanted,
            "in": lambda: value in wanted, "not in": lambda: value not in wanted,
        }  # fmt: skip
        return table[data["relation"]]()

    def over(at, units, test):
        if at == "each":
            return all(map(test, units))
        if at == "any":
            return any(map(test, units))
        index = at - 1 if at > 0 else len(units) + at
        return 0 <= index < len(units) and test(units[index])

    def inside(piece):
        units = cut(piece, data["level"])
        if data["transform"] == "count":
            if "of" in data:
                units = [u for u in units if u == data["of"]]
            return relate(len(units))
        if data["transform"] == "distinct":
            return relate(len({" ".join(cut(u, "word")) for u in units}))
        if data["transform"] == "ratio":
            return relate(Fraction(len(set(units)), len(units) or 1))
        assert data["transform"] == "text"
        return over(data["at"], units, relate)

    if "part" not in data:
        return inside(text)
    return over(data["part"]["at"], cut(text, data["part"]["level"]), inside)


def tiny_texts():
    for size in range(1, 5):
        for pieces in product(("a", "b.", "\n", "\n\n"), repeat=size):
            yield " ".join(pieces).replace(" \n", "\n").replace("\n ", "\n")


def test_against_a_brute_force_reading_of_tiny_texts():
    rng, texts = random.Random(2), sorted(set(tiny_texts()))
    for _ in range(400):
        level = rng.choice(["paragraph", "line", "sentence", "word"])
        data = {"level": level, "transform": rng.choice(["count", "distinct", "ratio", "text"])}
        if data["transform"] != "count":
            data["level"] = "word"
        relation = rng.choice(["==", "!=", "<", "<=", ">", ">=", "in", "not in"])
        if data["transform"] == "text":
            relation = rng.choice(["==", "!=", "in", "not in"])
            value = ["a", "c"] if "in" in relation else rng.choice("ab")
            data["at"] = rng.choice(PLACES)
        elif data["transform"] == "ratio":
            relation, value = rng.choice(["==", "!=", "<", "<=", ">", ">="]), rng.choice([0.5, 1.0])
        else:
            value = [1, 3] if "in" in relation else rng.randint(0, 3)
            if data["level"] == "word" and data["transform"] == "count" and rng.random() < 0.4:
                data["of"] = "a"
        data |= {"relation": relation, "value": value}
        if data["level"] in ("word", "sentence") and rng.random() < 0.5:
            data["part"] = {"level": "paragraph", "at": rng.choice(PLACES)}
        node = parse(data).nodes[0]
        for text in rng.sample(texts, 60):
            assert holds(node, Passage(text)) == naive(data, text), (data, text)


def test_negation_and_de_morgan(leaves):
    rng = random.Random(1)
    for one, two in pairwise(leaves):
        text = rng.choice(TEXTS)
        a, b = ok(one, text), ok(two, text)
        assert ok({"not": one}, text) == (not a)
        assert ok({"not": {"not": one}}, text) == a
        both, either = {"and": [one, two]}, {"or": [one, two]}
        # at the top an "and" is a list, so the node is put one level down
        assert ok({"or": [both]}, text) == (a and b)
        assert ok(either, text) == (a or b)
        assert ok({"not": both}, text) == ok({"or": [{"not": one}, {"not": two}]}, text)
        assert ok({"not": either}, text) == ok(
            {"or": [{"and": [{"not": one}, {"not": two}]}]}, text
        )


def test_opposite_relations_on_whole_texts(leaves):
    opposite = {"==": "!=", "<": ">=", ">": "<=", "in": "not in"}
    count = 0
    for data in leaves:
        if "at" in data or "part" in data or data["relation"] not in opposite:
            continue
        count += 1
        other = {**data, "relation": opposite[data["relation"]]}
        assert all(ok(data, text) != ok(other, text) for text in TEXTS)
    assert count > 50


def test_metamorphic_relations_of_texts(leaves):
    """Capital letters (without initials, "J. Smith") and space around a text never matter."""
    for data in leaves:
        for text in TEXTS[:3]:
            wanted = ok(data, text)
            assert ok(data, text.upper()) == wanted
            assert ok(data, f"\n  {text} \n") == wanted


def test_what_is_at_a_place_must_be_there():
    ninth = {"level": "word", "at": 9, "transform": "text", "relation": "!=", "value": "x"}
    assert not ok(ninth, "Only four words here.") and ok({"not": ninth}, "Only four words here.")
    assert "there must be one" in describe(parse(ninth).nodes[0])


# ---------------------------------------------------------------- the checker


def test_declared_examples():
    for example in constraint_grammar.examples:
        verdict = judge(constraint_grammar, example.reply, example.target)
        assert verdict.status == "scored" and verdict.success == example.passes, example


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        (leaf(), "The text has 6 words. The text must have exactly 4 words."),
        (leaf(relation="in", value=[3, 5]), "The text has 6 words. The text must have exactly 3 or "
         "5 words."),
        (leaf(of="the"), 'The text contains the word "the" 1 time. The text must contain the word '
         '"the" exactly 4 times.'),
        (leaf(at=2, transform="text", value="cat"), 'The 2nd word is "dog". The 2nd word must be '
         '"cat".'),
        (leaf(at=7, transform="text", value="cat"), "The text has only 6 words. The 7th word must "
         'be "cat".'),
        (leaf(relation="<=", value=2, part={"level": "sentence", "at": "each"}), "Sentence 1 has 3 "
         "words. Each sentence must have at most 2 words."),
        (leaf(at="each", transform="length", relation="<"), 'Word 5 is "barked" and has 6 '
         "characters. Each word must have a length of less than 4 characters."),
        (leaf(level="sentence", at=-1, transform="starts", value="he"), 'The last sentence starts '
         'with "It". The last sentence must start with "he".'),
        (leaf(level="sentence", at="any", transform="contains", value="cat"), "None of the 2 "
         'sentences does. At least one sentence must contain the word "cat".'),
        (leaf(transform="ratio", relation="<", value=0.5), "The text has a share of different words"
         " of 1 (6 of 6). The text must have a share of different words among its words of less "
         "than 0.5."),
        ({"not": leaf(value=6)}, "This must not be true: the text has exactly 6 words. But it is "
         "true."),
        ({"or": [leaf(), leaf(value=5)]}, "Make at least one of these true: (1) the text has "
         "exactly 4 words (now: the text has 6 words); (2) the text has exactly 5 words (now: the "
         "text has 6 words)."),
    ],
)  # fmt: skip
def test_messages(constraint, message):
    verdict = judge(constraint_grammar, "The dog ran. It barked loudly.", [constraint])
    assert [p.message for p in verdict.problems] == [message]
    assert verdict.score == 0.0


def test_score_is_the_weighted_share():
    target = [leaf(weight=3), leaf(relation=">", value=9), leaf(value=9)]
    assert judge(constraint_grammar, "One two three four.", target).score == pytest.approx(0.6)
    target = {"constraints": target, "floor": {"topic": "dog", "style": "words"}}
    good = judge(constraint_grammar, "The dog ran home.", target)
    assert good.score == pytest.approx(0.6) and good.metrics["form"] == 1.0
    assert judge(constraint_grammar, "The cat ran home.", target).score < 0.3


@pytest.mark.parametrize("style", ["grammar", "words"])
def test_the_floor_refuses_what_is_no_text(style):
    target = {"constraints": leaf(relation=">", value=3), "floor": {"topic": "dog", "style": style}}
    assert judge(constraint_grammar, "The dogs ran across the field.", target).success
    for reply in (
        "dog dog dog dog dog dog",
        "The dog zqxv the blarf.",
        "The of dog by the and.",
        "The dog ran home. The dog ran home.",
        "A cat sat on the mat.",
        "This text has many words and the word dog.",
        "dog, cat, horse, bird, river, mountain, fish, tree",
        "The dog " + "ran and ran and " * 40 + "ran.",
    ):
        verdict = judge(constraint_grammar, reply, target)
        assert verdict.status == "scored" and verdict.score < 1.0, reply


@pytest.mark.parametrize("style", ["grammar", "words"])
@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ("The big-old-dog-in-town swims in the wide river.",
         'Write the words of "big-old-dog-in-town" apart.'),
        ("A big-old-dog swims in a river.", 'Write the words of "big-old-dog" apart.'),
        ("A dog swims out-of-the-way-of it.", 'Write the words of "out-of-the-way-of" apart.'),
        ("A dog swam with Riv\u0435r.",
         '"riv\u0435r" has letters that English does not have. Use natural English.'),
        ("A dog swam with Riv\u1d07r.",
         '"riv\u1d07r" has letters that English does not have. Use natural English.'),
    ],
)  # fmt: skip
def test_the_floor_refuses_words_that_hide_words_or_letters(style, reply, message):
    target = {"constraints": leaf(relation=">", value=3), "floor": {"style": style}}
    verdict = judge(constraint_grammar, reply, target)
    assert [p.message for p in verdict.problems] == [message] and verdict.metrics["form"] == 0.0


@pytest.mark.parametrize(
    "reply",
    [
        "The dog of Jos\u00e9 sat with my mother-in-law.",
        "The well-known dog has a five-year-old boy.",
        "The man has a state-of-the-art boat for his dog.",
    ],
)
def test_the_floor_takes_words_with_hyphens_and_accents(reply):
    target = {"constraints": leaf(relation=">", value=3), "floor": {"topic": "dog"}}
    assert judge(constraint_grammar, reply, target).success


@pytest.mark.parametrize(
    ("floor", "error"),
    [
        ({"topic": "two words"}, "floor.topic"),
        ({"max_words": 0}, "floor.max_words"),
        ({"style": "poem"}, "floor.style: 'poem'; choose from grammar, words"),
        ({"mood": 1}, "floor: unknown field 'mood'"),
        ("dog", "floor: 'dog'"),
    ],
)
def test_errors_of_the_floor(floor, error):
    verdict = judge(constraint_grammar, "Hi.", {"constraints": [leaf()], "floor": floor})
    assert verdict.status == "unscored" and error in verdict.problems[0].message


def test_never_unscored_and_never_raises(fuzz_strings, leaves):
    target = {"constraints": leaves[:32], "floor": {"topic": "dog"}}
    for i, reply in enumerate(fuzz_strings):
        short = {"constraints": [leaves[i % 600], {"not": leaves[-i % 600]}]}
        assert judge(constraint_grammar, reply, target if i % 7 == 0 else short).status == "scored"
    for reply in ("a" * 200_000, "a. " * 70_000, "\n" * 200_000, "\ud800" * 200_000):
        assert constraint_grammar(reply, target).status == "scored"


@pytest.mark.parametrize(
    ("reply", "sign"),
    [
        ("The 2 dogs chased a ball.", "2"),
        ('"The dogs chased a ball."', '"'),
        ("\u201cThe dogs chased a ball.\u201d", "\u201c"),
        ("The dog's owner chased a ball.", None),
    ],
)
def test_the_floor_refuses_the_signs_that_its_prompt_rules_out(reply, sign):
    some = {"level": "word", "transform": "count", "relation": ">", "value": 0}
    target = {"constraints": [some], "floor": {"topic": "dog", "max_words": 30}}
    verdict = judge(constraint_grammar, reply, target)
    said = [problem.message.partition(": ")[2] for problem in verdict.problems]
    assert said == ([] if sign is None else [f'Do not use the sign "{sign}".'])
    assert verdict.success is (sign is None)

"""The constraint language at each limit and one beyond; every comparison, place and message."""

import re

import pytest

from corgi_gym.rewards.constraints.checker import constraint_grammar
from corgi_gym.rewards.constraints.conflicts import find_conflict
from corgi_gym.rewards.constraints.describe import clause, describe, ordinal
from corgi_gym.rewards.constraints.evaluate import holds
from corgi_gym.rewards.constraints.floor import Floor, ask, examine_floor, parse_floor
from corgi_gym.rewards.constraints.language import ConstraintError, parse, to_data
from corgi_gym.rewards.constraints.segments import Passage, fold


def leaf(**changes):
    return {"level": "word", "transform": "count", "relation": "==", "value": 4, **changes}


def node(**changes):
    return parse(leaf(**changes)).nodes[0]


def message(reply, constraint):
    (problem,) = constraint_grammar(reply, [constraint]).problems
    return problem.message, problem.where


# ---------------------------------------------------------------- reading


@pytest.mark.parametrize(
    ("fits", "beyond", "error"),
    [
        (leaf(value=20_000), leaf(value=20_001), "a whole number from 0 to 20000"),
        (leaf(value=0), leaf(value=-1), "a whole number from 0 to 20000"),
        (leaf(transform="length", at=-20_000), leaf(transform="length", at=-20_001), "a number"),
        (leaf(weight=20_000), leaf(weight=20_001), "give a positive number"),
        (leaf(weight=0.001), leaf(weight=True), "give a positive number"),
        (leaf(transform="ratio", value=0), leaf(transform="ratio", value=-0.1), r"in \[0, 1\]"),
        (leaf(transform="ratio", value=1), leaf(transform="ratio", value=1.01), r"in \[0, 1\]"),
        (leaf(of="a" * 100), leaf(of="a" * 101), "give a text of 1 to 100 characters"),
        (
            leaf(relation="in", value=list(range(32))),
            leaf(relation="in", value=list(range(33))),
            "'in' takes a list of values",
        ),
        ([leaf()] * 32, [leaf()] * 33, "more than 32 constraints"),
    ],
)
def test_limits(fits, beyond, error):
    parse(fits)
    with pytest.raises(ConstraintError, match=error):
        parse(beyond)


def nested(depth):
    data = leaf()
    for _ in range(depth):
        data = {"not": data}
    return data


def test_constraints_nest_8_deep():
    parse(nested(7))
    with pytest.raises(ConstraintError, match="nested deeper than 8 levels"):
        parse(nested(8))
    inner = leaf()
    for _ in range(7):
        inner = {"or": [inner]}
    parse(inner)
    with pytest.raises(ConstraintError, match="nested deeper than 8 levels"):
        parse({"or": [inner]})


def test_what_is_read_is_written_again():
    one = leaf(relation="in", value=[3])
    assert to_data(parse(one).nodes[0]) == leaf(value=3)
    assert to_data(node(relation="not in", value=[3, 3])) == leaf(relation="!=", value=3)
    full = leaf(level="character", of="e", part={"level": "line", "at": -1})
    assert to_data(parse(full).nodes[0]) == full
    both = {"or": [leaf(), {"not": leaf(value=3)}]}
    assert to_data(parse(both).nodes[0]) == both
    weighted = parse([leaf(weight=2), leaf(value=5)])
    assert weighted.weights == (2.0, 1.0)
    assert [n.path for n in weighted.nodes] == ["constraints[0]", "constraints[1]"]
    assert parse({"and": [leaf()]}).nodes[0].path == "constraints.and[0]"
    assert parse({"not": leaf()}, "x").nodes[0].path == "x.not"
    assert (node(transform="length", at="last").at, node(transform="length", at="all").at) == (
        -1,
        "each",
    )


# ---------------------------------------------------------------- what holds


@pytest.mark.parametrize(
    ("relation", "true"),
    [
        ("==", [4]), ("!=", [3, 5]), ("<", [3]), ("<=", [3, 4]), (">", [5]), (">=", [4, 5]),
    ],
)  # fmt: skip
def test_every_relation(relation, true):
    texts = {3: "One two three.", 4: "One two three four.", 5: "One two three four five."}
    for number, text in texts.items():
        assert holds(node(relation=relation), Passage(text)) == (number in true)


FOX = "The fox ran.\nIt saw the dog.\n\nThe dog slept. The end"


@pytest.mark.parametrize(
    ("constraint", "value"),
    [
        (leaf(level="paragraph"), 2),
        (leaf(level="line"), 3),
        (leaf(level="sentence"), 4),
        (leaf(), 12),
        (leaf(level="character"), 52),
        (leaf(of="the"), 4),
        (leaf(level="character", of="e"), 6),
        (leaf(transform="distinct"), 8),
        (leaf(transform="distinct", level="line"), 3),
        (leaf(transform="sum"), 37),
        (leaf(transform="sum", level="paragraph"), 50),
        (leaf(transform="length", level="text"), 52),
        (leaf(transform="length", at=2), 3),
        (leaf(transform="length", at=-2), 3),
        (leaf(transform="length", at=-12), 3),
        (leaf(transform="length", level="sentence", at=-1), 7),
        (leaf(part={"level": "sentence", "at": 2}), 4),
        (leaf(part={"level": "paragraph", "at": -1}), 5),
    ],
)
def test_numbers_of_a_text(constraint, value):
    text = Passage(FOX)
    for other in (value - 1, value, value + 1):
        found = holds(parse({**constraint, "value": other}).nodes[0], text)
        assert found == (other == value), other


@pytest.mark.parametrize(
    ("constraint", "holds_for"),
    [
        (leaf(transform="ratio", relation="<=", value=0.75), ["a b c a", "a a"]),
        (leaf(transform="ratio", relation=">", value=0.74), ["a b c a", "a b"]),
        (leaf(transform="share", of="a", relation="==", value=0.5), ["a b c a", "a b"]),
        (leaf(transform="share", of="a", relation=">=", value=0.51), ["a a"]),
        (leaf(transform="text", at=-1, value="a"), ["a b c a", "a a"]),
        (leaf(transform="text", at=3, relation="not in", value=["x", "y"]), ["a b c a"]),
        (leaf(transform="length", at=-3, value=1), ["a b c a"]),
        (leaf(transform="text", at="any", value="b"), ["a b c a", "a b"]),
        (leaf(transform="text", at="each", value="a"), ["a a"]),
        (leaf(level="line", transform="contains", at=1, value="b c"), ["a b c a"]),
        (leaf(level="line", transform="starts", at=1, value="a b"), ["a b c a", "a b"]),
        (leaf(level="line", transform="ends", at=1, value="c a"), ["a b c a"]),
        (leaf(level="line", transform="text", at=1, value="a b"), ["a b"]),
    ],
)
def test_what_holds(constraint, holds_for):
    one = parse(constraint).nodes[0]
    texts = ["a b c a", "a a", "a b"]
    assert [text for text in texts if holds(one, Passage(text))] == holds_for


# ---------------------------------------------------------------- segments


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Mr. Fox ran. J. Smith ran.", ["Mr. Fox ran.", "J. Smith ran."]),
        ("So did I. We ran.", ["So did I.", "We ran."]),
        ("Well... it ran. No", ["Well... it ran.", "No"]),
        ('"Why?" asked Ann. "Go!" He ran.', ['"Why?" asked Ann.', '"Go!"', "He ran."]),
        ("Why? because. A", ["Why?", "because.", "A"]),
        ("One.\n\nTwo\nthree.", ["One.", "Two\nthree."]),
        ("... One. !!! Two.", ["... One.", "!!! Two."]),
        ("!!! One.", ["!!! One."]),
        ("One (two.) Three", ["One (two.)", "Three"]),
        ("(Mr. Fox) ran.", ["(Mr. Fox) ran."]),
        ("One two", ["One two"]),
        ("...", []),
    ],
)
def test_sentences(text, sentences):
    found = Passage(text).units("sentence")
    assert [unit.text for unit in found] == sentences
    assert [text[slice(*unit.span)] for unit in found] == sentences


def test_units_know_their_place_in_the_whole_text():
    text = "  One two.\n\n Three-four five.\n"
    whole = Passage(text)
    assert whole.span == (2, 29) and Passage("  ").span == (0, 0)
    for level in ("text", "paragraph", "line", "sentence", "word", "character"):
        for unit in whole.units(level):
            assert text[slice(*unit.span)].strip() == unit.text
    inner = whole.units("paragraph")[1].units("word")[1]
    assert (inner.text, inner.span) == ("five", (24, 28))
    assert [w.span for w in Passage("a aa a").units("word")] == [(0, 1), (2, 4), (5, 6)]
    assert fold("Don\u2019t") == fold("DON\u2018T") == "don't" and fold("A\u2011B") == "a-b"


# ---------------------------------------------------------------- what is said


@pytest.mark.parametrize(
    ("number", "name"),
    [(1, "first"), (2, "2nd"), (3, "3rd"), (4, "4th"), (10, "10th"), (11, "11th"), (12, "12th"),
     (13, "13th"), (14, "14th"), (21, "21st"), (111, "111th"), (113, "113th"), (121, "121st"),
     (-1, "last"), (-2, "2nd-to-last"), (-11, "11th-to-last")],
)  # fmt: skip
def test_ordinals(number, name):
    assert ordinal(number) == name


@pytest.mark.parametrize(
    ("constraint", "said"),
    [
        (leaf(value=1), "The text must have exactly 1 word."),
        (leaf(relation="!="), "The text must have any number but 4 words."),
        (leaf(relation="not in", value=[3, 5]), "The text must have anything but 3 or 5 words."),
        (leaf(level="character", of=","),
         'The text must contain the character "," exactly 4 times.'),
        (leaf(level="character", of="e", value=1),
         'The text must contain the letter "e" exactly 1 time.'),
        (leaf(transform="sum"), "The text must have a total word length of exactly 4 characters."),
        (leaf(transform="share", of="a", relation=">", value=0.5),
         'The text must have a share of the word "a" among its words of more than 0.5.'),
        (leaf(transform="text", at=2, relation="!=", value="a"),
         'The 2nd word must not be "a" (and there must be one).'),
        (leaf(transform="text", at=1, relation="!=", value="a"), 'The first word must not be "a".'),
        (leaf(transform="contains", at="each", relation="not in", value=["a", "b"]),
         'Each word must not contain any of "a" or "b".'),
        (leaf(transform="contains", at=1, relation="in", value=["a", "b"]),
         'The first word must contain at least one of "a" or "b".'),
        (leaf(transform="starts", at=1, relation="in", value=["a", "b"]),
         'The first word must start with one of "a" or "b".'),
        (leaf(transform="contains", at=1, value="ab"),
         'The first word must contain the letters "ab" in a row.'),
        (leaf(level="sentence", transform="contains", at="any", value="a b"),
         'At least one sentence must contain the words "a b" in a row.'),
        (leaf(transform="ends", at=1, value="s", part={"level": "line", "at": 3}),
         'The first word of the 3rd line must end with "s".'),
        ({"and": [leaf(), {"not": leaf()}]},
         "All of these must be true: (1) the text has exactly 4 words; "
         "(2) [it is not true that the text has exactly 4 words]."),
    ],
)  # fmt: skip
def test_descriptions(constraint, said):
    data = {"or": [constraint]} if "and" in constraint else constraint
    one = parse(data).nodes[0]
    assert describe(one.nodes[0] if "and" in constraint else one) == said


def test_clauses_of_sets():
    either = parse({"or": [leaf(), {"not": leaf(value=1)}]}).nodes[0]
    assert clause(either) == (
        "at least one of these is true: (1) the text has exactly 4 words; "
        "(2) [it is not true that the text has exactly 1 word]"
    )
    both = parse({"not": {"and": [leaf(), leaf(value=1)]}}).nodes[0]
    assert describe(both) == (
        "This must not be true: all of these are true: (1) the text has exactly 4 words; "
        "(2) the text has exactly 1 word."
    )


@pytest.mark.parametrize(
    ("constraint", "said", "where"),
    [
        (leaf(part={"level": "line", "at": 4}), "The text has only 3 lines.", None),
        (leaf(part={"level": "line", "at": "any"}, value=9), "None of the 3 lines does.", None),
        (leaf(part={"level": "line", "at": "each"}, value=3), "Line 2 has 4 words.", (13, 28)),
        (leaf(part={"level": "line", "at": 2}, of="the", value=2),
         'Line 2 contains the word "the" 1 time.', (13, 28)),
        (leaf(transform="length", at=5, part={"level": "line", "at": 1}),
         "Line 1 has only 3 words.", (0, 12)),
        (leaf(transform="length", at=-1, part={"level": "line", "at": 1}, value=2),
         'The last word of line 1 is "ran" and has 3 characters.', (8, 11)),
        (leaf(transform="text", at="any", value="cat"), "None of the 12 words does.", None),
        (leaf(transform="length", at="each", relation="<", value=3),
         'Word 1 is "The" and has 3 characters.', (0, 3)),
        (leaf(transform="contains", at=2, value="z"),
         'The 2nd word does not contain "z" ("fox").', (4, 7)),
        (leaf(transform="contains", at=2, relation="!=", value="o"),
         'The 2nd word contains "o" ("fox").', (4, 7)),
        (leaf(level="line", transform="ends", at=2, value="big cat"),
         'The 2nd line ends with "the dog".', (13, 28)),
        (leaf(level="line", transform="text", at=1, value="no"),
         'The first line is "The fox ran.".', (0, 12)),
        (leaf(transform="sum", relation="<"), "The text has a total word length of 37 characters.",
         None),
        (leaf(transform="distinct"), "The text has 8 different words.", None),
        (leaf(transform="share", of="the", relation=">", value=0.5),
         'The text has a share of the word "the" of 0.333 (4 of 12).', None),
        (leaf(level="text", transform="contains", value="cat"),
         'The text does not contain "cat".', None),
    ],
)  # fmt: skip
def test_what_is_found_and_where(constraint, said, where):
    text, place = message(FOX, constraint)
    assert text.startswith(said) and place == where


def test_quotations_of_40_characters():
    for length, shown in ((40, "x" * 40), (41, "x" * 39 + "…")):
        text, _ = message("x" * length, leaf(transform="text", at=1, value="a"))
        assert text.startswith(f'The first word is "{shown}".')


# ---------------------------------------------------------------- the checker


def test_replies_of_20000_characters_and_of_none():
    many = leaf(relation=">", value=3)
    assert constraint_grammar("a " * 10_000, many).success
    beyond = constraint_grammar("a " * 10_000 + "a", many)
    assert [p.message for p in beyond.problems] == [
        "Your reply has 20001 characters. Write at most 20000."
    ]
    assert beyond.score == 0.0
    empty = constraint_grammar("...", {"not": leaf()})
    assert (empty.score, empty.problems[0].message) == (0.0, "There is no word in your reply.")


def test_weights_share_the_score():
    target = [leaf(weight=3), leaf(value=5), leaf(value=6, weight=0.5)]
    verdict = constraint_grammar("One two three four.", target)
    assert verdict.score == pytest.approx(3 / 4.5)
    assert verdict.metrics == {"share": pytest.approx(3 / 4.5), "form": 1.0}
    assert constraint_grammar("One two three four.", [leaf()]).metrics == {
        "share": 1.0,
        "form": 1.0,
    }
    both = {"or": [{"and": [leaf(value=1), leaf(value=4)]}]}
    assert [p.kind for p in constraint_grammar("One two.", [both]).problems] == ["or"]
    assert "(1) [all of these are true" in constraint_grammar("One.", [both]).problems[0].message


# ---------------------------------------------------------------- contradictions


@pytest.mark.parametrize(
    ("data", "paths"),
    [
        ([leaf(), leaf(value=5)], ("constraints[0]", "constraints[1]")),
        ([leaf(), leaf(relation="<=", value=4)], None),
        ([leaf(relation="<"), leaf(relation=">=")], ("constraints[0]", "constraints[1]")),
        ([leaf(relation="<", value=1)], ("constraints[0]",)),
        ([leaf(relation="<", value=2)], None),
        ([leaf(), {"not": leaf()}], ("constraints[0]", "constraints[1].not")),
        ([leaf(), {"or": [leaf(value=5), leaf()]}], None),
        ([leaf(), {"not": {"or": [leaf(value=5), leaf()]}}],
         ("constraints[0]", "constraints[1].not.or[1]")),
        ([leaf(), {"not": {"and": [leaf(), leaf(relation=">", value=2)]}}],
         ("constraints[0]", "constraints[1].not.and[0]", "constraints[1].not.and[1]")),
        ([leaf(), leaf(level="sentence", value=5)], ("constraints[0]", "constraints[1]")),
        ([leaf(), leaf(level="sentence")], None),
        ([leaf(), leaf(transform="text", at=5, value="a")], ("constraints[0]", "constraints[1]")),
        ([leaf(), leaf(transform="text", at=4, value="a")], None),
    ],
)  # fmt: skip
def test_contradictions(data, paths):
    assert find_conflict(parse(data)) == paths


def test_64_alternatives_are_looked_at():
    two = {"or": [leaf(value=5), leaf(value=6)]}
    assert find_conflict(parse([leaf(), *[two] * 6])) is not None
    three = {"or": [leaf(value=5), leaf(value=6), leaf(value=7)]}
    assert find_conflict(parse([leaf(), *[two] * 5, three])) is None


# ---------------------------------------------------------------- the floor


def test_a_floor_is_read():
    assert parse_floor({}) == Floor(None, 100, "grammar")
    assert parse_floor({"max_words": 20_000, "topic": "dog"}).max_words == 20_000
    for floor in ({"max_words": 20_001}, {"max_words": True}, {"topic": "Dog"}, {"topic": "a1"}):
        with pytest.raises(ConstraintError, match=re.escape("floor.")):
            parse_floor(floor)
    assert "at most 1 word. Each sentence" in ask(Floor(None, 1, "grammar"))
    assert 'Use the word "dog" in any form. Do not repeat' in ask(Floor("dog", 9, "words"))


@pytest.mark.parametrize(
    ("floor", "text", "form", "kinds"),
    [
        (Floor("dog", 4, "words"), "The dogs ran home.", 1.0, []),
        (Floor("dog", 3, "words"), "The dogs ran home.", 0.0, ["too_long"]),
        (Floor("cat", 9, "words"), "The dogs ran home.", 0.3, ["topic"]),
        (Floor("dog", 9, "words"), "The dog saw a word.", 0.3, ["about_task"]),
        (Floor("word", 9, "words"), "The dog saw a word.", 1.0, []),
        (Floor(None, 9, "words"), "The dog the dog the dog.", 0.0, ["repetition"]),
        (Floor(None, 9, "words"), "We ran home. We ran home.", 0.5, ["repetition"]),
        (Floor(None, 9, "grammar"), "The dog ran home.", 1.0, []),
    ],
)
def test_what_a_floor_refuses(floor, text, form, kinds):
    found, problems = examine_floor(floor, Passage(text))
    assert (found, [p.kind for p in problems]) == (pytest.approx(form), kinds)


def test_a_floor_names_two_sentences():
    text = Passage("Home the of. Run the and. By by of. The dog ran home.")
    form, problems = examine_floor(Floor(None, 30, "grammar"), text)
    assert 0.0 <= form < 0.5 and len(problems) == 2
    assert problems[0].message.startswith('In "Home the of.": ') and problems[0].where == (0, 12)
    twice = examine_floor(Floor(None, 30, "words"), Passage("We ran home. WE ran home. So it is."))
    assert twice[1][0].message == 'You wrote this sentence twice: "WE ran home." Write it once.'
    assert twice[1][0].where == (13, 25) and twice[0] == pytest.approx(2 / 3)


def test_half_of_the_words_must_differ():
    for text, kinds in (("The dog saw the dog see the", []), ("a b a b a", ["repetition"])):
        found = examine_floor(Floor(None, 30, "words"), Passage(text))[1]
        assert [p.kind for p in found if "are different" in p.message] == kinds

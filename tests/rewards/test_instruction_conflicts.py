"""Which sets of instructions contradict each other, and what is said about them."""

import pytest

from corgi_gym.envs import GuidedEnv
from corgi_gym.rewards import get_checker, judge
from corgi_gym.rewards.compose import check_target
from corgi_gym.rewards.instructions import conflicts, read_target


def found(*rows):
    """What is said about rows (kind, values)."""
    rows = [{"kind": kind, "kwargs": values} for kind, values in rows]
    return conflicts(read_target(rows).instructions)


def words(relation, number):
    return ("length_constraints:number_words", {"num_words": number, "relation": relation})


def sentences(relation, number):
    return ("length_constraints:number_sentences", {"num_sentences": number, "relation": relation})


def uses(keyword, relation, number):
    return (
        "keywords:frequency",
        {"keyword": keyword, "frequency": number, "relation": relation},
    )


def letters(letter, relation, number):
    return (
        "keywords:letter_frequency",
        {"letter": letter, "let_frequency": number, "let_relation": relation},
    )


def capitals(relation, number):
    return (
        "change_case:capital_word_frequency",
        {"capital_frequency": number, "capital_relation": relation},
    )


def nth(number, place):
    return (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": number, "nth_paragraph": place, "first_word": "So"},
    )


def repeat(prompt):
    return ("combination:repeat_prompt", {"prompt_to_repeat": prompt})


def ending(phrase):
    return ("startend:end_checker", {"end_phrase": phrase})


def language(code):
    return ("language:response_language", {"language": code})


def forbidden(*banned):
    return ("keywords:forbidden_words", {"forbidden_words": list(banned)})


UPPER, LOWER = ("change_case:english_capital", {}), ("change_case:english_lowercase", {})
NO_COMMA = ("punctuation:no_comma", {})
LESS, LEAST = "less than", "at least"

CONTRADICTIONS = [
    ((UPPER, LOWER), "capital letters only and lower-case letters only exclude each other."),
    # a lower bound meets an upper bound; of several, the strictest ones
    ((words(LESS, 5), words(LEAST, 5)), "words: less than 5 and at least 5 exclude each other."),
    ((words(LEAST, 7), words(LEAST, 3), words(LESS, 9), words(LESS, 6)),
     "words: less than 6 and at least 7 exclude each other."),
    ((words(LESS, 6), words(LESS, 9), words(LEAST, 3), words(LEAST, 7)),
     "words: less than 6 and at least 7 exclude each other."),
    ((NO_COMMA, words(LESS, 5), NO_COMMA, words(LEAST, 5)),
     "words: less than 5 and at least 5 exclude each other."),
    ((words(LESS, 0),), "words: less than 0 and at least 0 exclude each other."),
    ((sentences(LESS, 2), sentences(LEAST, 3)),
     "sentences: less than 2 and at least 3 exclude each other."),
    ((uses("Cat", LESS, 2), uses("cat", LEAST, 2)),
     "uses of a keyword 'cat': less than 2 and at least 2 exclude each other."),
    ((letters("e", LESS, 2), letters("E", LEAST, 2)),
     "letters 'e': less than 2 and at least 2 exclude each other."),
    ((capitals(LESS, 1), capitals(LEAST, 1)),
     "capital words: less than 1 and at least 1 exclude each other."),
    # two exact numbers
    ((("count:lines", {"number": 3}), ("count:lines", {"number": 2})),
     "count:lines asks for 2 and 3 at once."),
    # a forbidden word must be there
    ((forbidden("dog", "cat"), ("keywords:existence", {"keywords": ["a CAT"]})),
     "'cat' is forbidden, but 'a CAT' must be there."),
    ((forbidden("cat"), uses("cat", LEAST, 1)), "'cat' is forbidden, but 'cat' must be there."),
    ((forbidden("end"), ending("the end.")), "'end' is forbidden, but 'the end.' must be there."),
    ((forbidden("why"), repeat("Why?")), "'why' is forbidden, but 'Why?' must be there."),
    ((forbidden("so"), ("copy:sentence_times", {"sentence": "It is so.", "times": 1})),
     "'so' is forbidden, but 'It is so.' must be there."),
    ((NO_COMMA, ending("yes, so")), "commas are forbidden, but 'yes, so' must be there."),
    # a word less often than a text that must be there has it
    ((uses("go", LESS, 2), ending("go, go!")), "'go' less than 2 times, but 'go, go!' has it."),
    # a language
    ((language("de"), repeat("What is the name of the river?")),
     "the reply must be in 'de', but repeat 'What is the name of the river?'."),
    ((("count:word_range", {"low": 4, "high": 3}),), "count:word_range asks for 4 to 3 words."),
    ((nth(2, 3),), "nth_paragraph is more than num_paragraphs."),
    ((("copy:span", {"source": "a b c", "start": 3, "end": 2}),),
     "copy:span asks for the words 3 to 2."),
    ((("copy:span", {"source": "one two", "start": 2, "end": 6}),),
     "copy:span asks for the words 2 to 6 of 2."),
    *(((forbidden("river"), row), "'river' is forbidden, but 'River' must be there.")
      for row in (("position:last_word", {"word": "River"}),
                  ("position:nth_word", {"n": 2, "word": "River"}),
                  ("position:keyword_in_sentence", {"n": 1, "word": "River"}))),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "said"), CONTRADICTIONS)
def test_contradictions(rows, said):
    assert found(*rows) == [said]


TOGETHER = [
    (UPPER,),
    (LOWER,),
    (words(LESS, 6), words(LEAST, 5)),
    (words(LESS, 1),),
    (words(LESS, 1), words(LEAST, 0)),
    (words(LESS, 2), sentences(LEAST, 2)),
    (uses("cat", LESS, 2), uses("dog", LEAST, 2)),
    (letters("e", LESS, 2), letters("a", LEAST, 2)),
    (("count:lines", {"number": 3}), ("count:lines", {"number": 3})),
    (("count:lines", {"number": 3}), ("count:questions", {"number": 2})),
    (forbidden("cat"), ("keywords:existence", {"keywords": ["cats"]})),
    (forbidden("cat"), uses("cat", LESS, 1)),
    (forbidden("cat"), uses("cat", LEAST, 0)),
    (NO_COMMA, ending("yes so")),
    (ending("yes, so"),),
    (uses("go", LESS, 3), ending("go, go!")),
    (uses("go", LEAST, 1), ending("go, go!")),
    (language("en"), repeat("What is the name of the river?")),
    (language("de"), repeat("Why?")),  # too short to be in any language
    (("count:word_range", {"low": 3, "high": 3}),),
    (nth(2, 2),),
]


@pytest.mark.parametrize("rows", TOGETHER)
def test_what_goes_together(rows):
    assert found(*rows) == []


def test_all_contradictions_are_told():
    rows = (UPPER, LOWER, NO_COMMA, forbidden("yes"), ending("yes, so"), nth(1, 2))
    assert len(found(*rows)) == 4


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("length_constraints:number_paragraphs", "num_paragraphs"),
        ("detectable_format:number_bullet_lists", "num_bullets"),
        ("count:numbers", "number"),
        ("count:questions", "number"),
        ("count:lines", "number"),
        ("format:numbered_list", "number"),
    ],
)
def test_exact_numbers(kind, field):
    assert found((kind, {field: 2}), (kind, {field: 1})) == [f"{kind} asks for 1 and 2 at once."]
    assert found((kind, {field: 2})) == []


def test_own_prompts_with_a_contradiction_are_refused_and_a_reply_to_one_does_not_crash():
    kind, values = nth(2, 3)
    target = [{"kind": kind, "kwargs": values}]
    with pytest.raises(
        ValueError, match=r"prompt 0 .* no reply can follow .* nth_paragraph is more"
    ):
        GuidedEnv(prompts=[{"prompt": "Hi", "target": target}], checker="instruction_following")
    check_target(
        get_checker("instruction_following"), {"mode": "reference", "instructions": target}
    )
    verdict = judge(get_checker("instruction_following"), "It rains.\n\nThe dog runs.", target)
    assert verdict.status == "scored" and verdict.score == 0.0
    assert verdict.problems[0].message == "A reply of 2 paragraphs has no paragraph 3."

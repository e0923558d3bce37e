"""The semantic families at their limits, with scripted readers: what the rules alone do."""

import math

import pytest

from corgi_gym.rewards.paraphrase import judge_paraphrase, shared_content
from corgi_gym.rewards.passage import content_words, examine_passage, split_sentences
from corgi_gym.rewards.rationale_generation import judge_rationale
from corgi_gym.rewards.semantic.student import Answer
from corgi_gym.rewards.semantic.subjective_lexicon import content_places, find
from corgi_gym.rewards.sentiment import judge_review
from corgi_gym.rewards.story_generation import judge_story, repeated_words
from corgi_gym.rewards.style_transfer import judge_neutral
from corgi_gym.rewards.text import quote


def kinds(verdict):
    return [problem.kind for problem in verdict.problems]


class Says:
    """Reader, stylist, meaning, coherence in one: what it was made with."""

    threshold = 0.3

    def __init__(self, answer):
        self.answer = answer

    def read(self, text):
        return self.answer

    def subjective(self, text):
        return self.answer

    def same(self, one, other):
        return self.answer

    def similarity(self, first, continuation):
        return self.answer


# ---------------------------------------------------------------- sentiment

LAMP = {"names": ["lamp"], "stars": 5}


@pytest.mark.parametrize(
    ("reply", "stars", "opinion", "score", "expected"),
    [
        ("The lamp is here.", 5, True, 1.0, []),
        ("The lamp is here.", 4, True, 0.3, ["sentiment"]),
        ("The lamp is here.", 3, True, 0.2, ["sentiment"]),
        ("The lamp is here.", 2, True, 0.1, ["sentiment"]),
        ("The lamp is here.", 1, True, 0.0, ["sentiment"]),
        ("The lamp is here.", 5, False, 0.0, ["sentiment"]),
        ("It is here.", 5, True, 0.0, ["product"]),
        ("The lamp earns five points.", 5, True, 0.2, ["rating"]),
        ("The lamp earns five points.", 4, True, 0.0, ["rating", "sentiment"]),
        ("The lamp, the chair and the bag are here.", 5, True, 0.2, ["list"]),
        ("The lamp and the chair are here.", 5, True, 1.0, []),
    ],
)
def test_reviews(reply, stars, opinion, score, expected):
    verdict = judge_review(reply, LAMP, Says((stars, opinion)))
    assert (kinds(verdict), verdict.score) == (expected, pytest.approx(score))
    assert verdict.metrics == {"stars": float(stars), "form": 1.0}


@pytest.mark.parametrize(
    ("reply", "crowd"),
    [
        ("The old brass lamp, the old brass chair and the old brass bag are here.", True),
        ("We saw the old brass lamp, the old brass chair, the old brass bag.", True),
        ("The old brass lamp, the old brass chair, the old brass bag, or so.", True),
        ("The old brass lamp stands, the old brass chair stands, the brass bag stands.", False),
        ("We are here, the lamp and the chair are here.", False),
        ("The lamp, the chair, the bag", True),
        ("The lamp, here, the chair", False),
    ],
)
def test_three_things_side_by_side_are_a_list(reply, crowd):
    assert ("list" in kinds(judge_review(reply, LAMP, Says((5, True))))) == crowd


def test_a_review_places_its_rating_and_has_four_sentences():
    verdict = judge_review("The lamp has 5 stars.", LAMP, Says((5, True)))
    assert verdict.problems[0].where == (15, 20)
    lamp = "The lamp is here. It is old. It is red. We like it."
    assert judge_review(lamp, LAMP, Says((5, True))).success
    five = judge_review(f"{lamp} So it is.", LAMP, Says((5, True)))
    assert kinds(five)[0] == "sentences" and "Write 1 to 4 sentences." in five.problems[0].message
    assert (
        "Write at most 60, in" in judge_review("a " * 61, LAMP, Says((5, True))).problems[0].message
    )


# ---------------------------------------------------------------- style

MAYOR = {"source": "Sadly, the brilliant mayor of Rome opened the awful library in May."}


@pytest.mark.parametrize(
    ("reply", "left", "score", "expected"),
    [
        ("The mayor of Rome opened the library in May.", [], 1.0, []),
        ("In May, the mayor of Rome opened the library.", [], 1.0, []),
        ("The mayor of Rome opened the library in May.", ["mayor"], 0.7 * 2 / 3, ["subjective"]),
        ("The mayor opened the library in May.", [], 0.7 * 4 / 5, ["facts"]),
        ("The mayor of Rome did not open the library in May.", [], 0.35, ["negation"]),
        ("The library of Rome opened the mayor in May.", [], 0.35, ["order"]),
        ("The mayor of Rome opened the new library in May.", [], None, ["new"]),
    ],
)
def test_neutral_versions(reply, left, score, expected):
    verdict = judge_neutral(reply, MAYOR, Says(left))
    assert kinds(verdict)[: len(expected)] == expected and bool(verdict.problems) == bool(expected)
    if score is not None:
        assert verdict.score == pytest.approx(score)
    assert verdict.score <= 0.7 or verdict.success


def test_five_facts_are_named_and_700_characters_read():
    missing = judge_neutral("We ran.", MAYOR, Says([])).problems[0].message
    assert missing == ("Keep the facts: your sentence lacks mayor, rome, opened, library and may.")
    left = judge_neutral("We ran.", MAYOR, Says(list("abcdefg"))).problems[0].message
    assert left.startswith('This is still subjective: "a", "b", "c", "d" and "e". Leave')
    assert kinds(judge_neutral("a" * 700, MAYOR, Says([]))) != ["length"]
    long = judge_neutral("a" * 701, MAYOR, Says([]))
    assert [p.message for p in long.problems] == [
        "Your reply has 701 characters. Write one sentence."
    ]
    assert long.score == 0.0
    assert len(judge_neutral("not we zqx ran ran", MAYOR, Says(["x"])).problems) == 3


SOLD = {"source": "The ABC-News group, as SEC filings say, sold 34% of it."}


@pytest.mark.parametrize(
    ("target", "reply", "expected", "score"),
    [
        (
            MAYOR,
            "The mayor of Rome opened the library and the library in May.",
            ["order", "changed"],
            0.175,
        ),
        (MAYOR, "the mayor of Rome opened the library in May", ["ending"], 0.35),  # the first one
        # a source that the grammar does not know
        (SOLD, SOLD["source"], [], 1.0),
        (SOLD, f'{SOLD["source"]}" \n', [], 1.0),
        (SOLD, SOLD["source"][:-1], ["ending"], 0.35),
        (SOLD, SOLD["source"].replace("The", "The a"), ["word_pair"], 0.35),
        (SOLD, SOLD["source"].replace("The", "The of"), ["changed", "word_pair"], 0.175),
        (SOLD, "", ["facts", "length"], 0.0),
        # a source without facts
        ({"source": "Sadly!"}, "We ran.", ["new", "order"], 0.0),
    ],
)
def test_the_form_of_neutral_versions(target, reply, expected, score):
    verdict = judge_neutral(reply, target, Says([]))
    assert (kinds(verdict), verdict.score) == (expected, pytest.approx(score))


@pytest.mark.parametrize(
    ("sentence", "spans"),
    [
        ("I think that it rains.", [("i think that", 0, 3)]),  # the longest phrase
        ("I think, of course.", [("i think", 0, 2), ("of course", 2, 4)]),
        ("It rains!", [("!", 2, 3)]),
        ("It rains.", []),
    ],
)
def test_subjective_spans(sentence, spans):
    assert [(span.text, span.start, span.end) for span in find(sentence)] == spans


@pytest.mark.parametrize(
    ("sentence", "places"),
    [
        ("May 3 was wet.", [0, 1, 3]),
        ("May we go?", [2]),
        ("May", []),
        ("May I 3", [2]),
        ("It is May", [2]),
        ("He may go", [2]),
        ("Go in may", [0]),
    ],
)
def test_may_is_a_month_inside_a_sentence_or_before_a_number(sentence, places):
    assert content_places(sentence) == places


# ---------------------------------------------------------------- paraphrase

ROME = {
    "question": "How much does a ticket to Rome cost?",
    "form": "what",
    "keep": ["ticket", "rome"],
    "grammar": True,
}


@pytest.mark.parametrize(
    ("reply", "same", "score", "expected"),
    [
        ("What is the price of a ticket to Rome?", True, 1.0, []),
        ("What is the price of a ticket to Rome?", False, 0.2, ["meaning"]),
        ("How expensive is a ticket to Rome?", True, 0.5, ["form"]),
        ("How expensive is a ticket to Rome?", False, 0.0, ["form", "meaning"]),
        ("What is the price of a ticket to Paris?", True, 0.2, ["keep"]),
        ("What is not the price of a ticket to Rome?", True, 0.2, ["negation"]),
        ("What much does a ticket to Rome cost?", True, 0.0, None),
        ("What is the price of a ticket to Rome", True, 0.0, ["question"]),
        ("What is it? What is the price?", True, 0.0, ["question"]),
        ("What is the price\nof a ticket to Rome?", True, 0.0, ["question"]),
        ("?", True, 0.0, ["length"]),
        (f"What is{' it' * 29}?", True, 0.0, ["length"]),
        (f"What is {'i' * 292}?", True, 0.0, ["length"]),
    ],
)
def test_paraphrases(reply, same, score, expected):
    verdict = judge_paraphrase(reply, ROME, Says(same))
    assert verdict.score == pytest.approx(score)
    assert expected is None or kinds(verdict) == expected


@pytest.mark.parametrize(
    ("form", "reply", "fits"),
    [
        ("is", "Are the tickets to Rome old?", True),
        ("would", "Will the ticket to Rome get old?", True),
        ("what", "Which ticket to Rome is old?", False),
        ("is", "Was the ticket to Rome old?", True),
        ("can", "Is the ticket to Rome old?", False),
    ],
)
def test_first_words(form, reply, fits):
    verdict = judge_paraphrase(reply, {**ROME, "form": form, "grammar": False}, Says(True))
    assert kinds(verdict) == ([] if fits else ["form"])


@pytest.mark.parametrize(
    ("form", "question", "reply", "expected"),
    [
        # white space around the question, and thirty words
        ("what", ROME["question"], "  What is the price of a ticket to Rome? \n", []),
        ("what", ROME["question"], f"What is{' it' * 28}?", None),
        ("what", ROME["question"], f"What is {'i' * 291}?", None),  # 300 characters
        # a contraction begins with its verb
        ("is", "Is the ticket to Rome not old?", "Isn't the ticket to Rome old?", []),
        ("do", "Does no ticket to Rome get old?", "Isn't a ticket to Rome old?", ["form"]),
        # questions that the grammar knows in another order
        ("is", "Do we have a ticket to Rome?", "Is there a ticket to Rome?", []),
        ("when", "What is the day of the ticket to Rome?", "When does the ticket to Rome end?", []),
    ],
)
def test_forms_of_questions(form, question, reply, expected):
    asked = {**ROME, "form": form, "question": question}
    found = kinds(judge_paraphrase(reply, asked, Says(True)))
    assert found == expected if expected is not None else found != ["length"]


def test_where_the_grammar_does_not_know_the_question_a_floor_judges_the_reply():
    asked = {"question": "How come ticket, Rome?", "form": "what", "keep": [], "grammar": False}
    assert kinds(judge_paraphrase("What way ticket, train?", asked, Says(True))) == []
    assert kinds(judge_paraphrase("What of with the ticket?", asked, Says(True))) == ["word_pair"]
    kept = {**asked, "keep": ["ticket"]}
    assert kinds(judge_paraphrase("What way, ticket?", kept, Says(True))) == []
    assert kinds(judge_paraphrase("What ticket, ticket?", kept, Says(True))) == ["meaning"]
    copy = judge_paraphrase("What now, how come ticket, Rome?", asked, Says(True))
    assert (kinds(copy), copy.score) == (["copy"], 0.0)
    strict = {**asked, "grammar": True}
    assert kinds(judge_paraphrase("What way ticket, train?", strict, Says(True))) != []


def test_at_most_three_problems_and_five_kept_words_are_named():
    asked = {"question": "Which old bus can I not take?", "form": "is",
             "keep": ["aa", "bb", "cc", "dd", "ee", "ff"]}  # fmt: skip
    found = judge_paraphrase("What is the new bus?", asked, Says(True)).problems
    assert [problem.kind for problem in found] == ["form", "keep", "negation"]
    assert found[1].message == "Your question must keep: aa, bb, cc, dd and ee."
    long = judge_paraphrase("Internationalization is what?", asked, Says(True)).problems[0].message
    assert long.startswith('Your question starts with "Internatio')


def test_opposites_count_both_ways():
    asked = {"question": "How can I open the old door?", "form": "what", "keep": ["door"]}
    for reply in ("What is the way to close the old door?", "What opens the new door?"):
        verdict = judge_paraphrase(reply, asked, Says(True))
        assert "opposite" in kinds(verdict) and verdict.score <= 0.2
    back = {"question": "How can I close the door?", "form": "what", "keep": ["door"]}
    assert "opposite" in kinds(judge_paraphrase("What opens the door?", back, Says(True)))
    assert shared_content("How can I open doors?", "What opens a door?") == ["open", "door"]
    assert shared_content("How are we?", "How are you?") == []


# ---------------------------------------------------------------- stories

RAIN = {"first": "Anna carried her umbrella to the bus stop."}
STORY = "The bus was late, and the rain ruined her shoes. Anna waited."


@pytest.mark.parametrize(
    ("reply", "similarity", "score", "expected"),
    [
        (STORY, 0.3, 1.0, []),
        (STORY, 0.29, 0.2 + 0.4 * 0.29 / 0.3, ["coherence"]),
        (STORY, 0.0, 0.2, ["coherence"]),
        (STORY, -0.5, 0.2, ["coherence"]),
        ("The bus was late. Anna saw its old driver.", 0.9, 1.0, []),
        ("The bus was late. The bus left. Anna ran.", 0.9, 0.4, ["repetition"]),
        ("The chef baked a cake.", 0.9, 0.0, ["link"]),
        ("Anna carried her umbrella to the shop.", 0.9, 0.0, ["copy"]),
    ],
)
def test_stories(reply, similarity, score, expected):
    verdict = judge_story(reply, RAIN, Says(similarity))
    assert kinds(verdict) == expected
    assert verdict.score == pytest.approx(score * verdict.metrics["form"])
    assert ("similarity" in verdict.metrics) == (expected not in (["link"], ["copy"]))


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        # five words of the first sentence in a row, and four
        ("Rain fell, wind blew, and people ran home with her umbrella to the bus.", ["copy"]),
        ("Rain fell, wind blew, and people ran with her umbrella to the old bus.", []),
    ],
)
def test_four_words_in_a_row_are_no_copy(reply, expected):
    assert [kind for kind in kinds(judge_story(reply, RAIN, Says(0.9))) if kind == "copy"] == (
        expected
    )


@pytest.mark.parametrize(
    ("first", "expected"), [("Anna saw rain there.", []), ("Anna saw cold rain there.", ["link"])]
)
def test_four_content_words_ask_for_two_links(first, expected):
    assert kinds(judge_story("The rain fell.", {"first": first}, Says(0.9))) == expected


def test_three_problems_of_a_story_are_told():
    many = judge_story("Her umbrella, old. It. We. You. The bus.", RAIN, Says(0.9))
    assert len(many.problems) == 3
    none = judge_story("", RAIN, Says(0.9))
    assert (kinds(none), none.score) == (["sentences"], 0.0)


def test_repetition_is_sought_in_four_words():
    first = "A dog ran."
    assert repeated_words(first, "Cats saw old red tall cats.") == []  # five words later
    assert repeated_words(first, "Cats saw old red cats.") == ["cats"]
    assert repeated_words(first, "Dog meets the dog.") == ["dog"]  # what was before is not again
    assert repeated_words(first, "The the the.") == []


def test_a_story_takes_up_two_words_or_one_of_a_short_sentence():
    short = {"first": "Anna saw rain."}
    assert kinds(judge_story("The rain fell.", short, Says(0.9))) == []
    message = judge_story("The sun shone.", short, Says(0.9)).problems[0].message
    assert message == 'Take up a word of the first sentence, for example "Anna".'
    assert kinds(judge_story("The bus was late.", RAIN, Says(0.9))) == ["link"]


# ---------------------------------------------------------------- rationales

BREAD = {
    "question": "What does a cook use to cut bread?",
    "options": ["broom", "knife", "rope"],
    "gold": 1,
}
GOOD = "A sharp blade goes through the crust of bread."


class Reads:
    """A student with scripted shares, with the background and without."""

    def __init__(self, share, before=None, choice=1):
        self.share, self.before, self.choice, self.calls = share, before, choice, 0

    def answer(self, background, question, options):
        self.calls += 1
        share = self.share if background else self.before
        return Answer(self.choice, () if share is None else (0.0, share, 1.0 - share))


@pytest.mark.parametrize(
    ("student", "score", "expected"),
    [
        (Reads(0.7, 0.5), 1.0, []),  # log-odds rise by 0.85
        (Reads(0.67, 0.5), 0.335, ["no_help"]),  # by 0.71
        (Reads(0.4, 0.5, choice=2), 0.2, ["student"]),
        (Reads(None, choice=1), 1.0, []),
        (Reads(None, choice=0), 0.0, ["student"]),
        (Reads(None, choice=None), 0.0, ["student"]),
        (Reads(1.0, 1.0), 0.5, ["no_help"]),
    ],
)
def test_rationales(student, score, expected):
    verdict = judge_rationale(GOOD, BREAD, student)
    assert (kinds(verdict), verdict.score) == (expected, pytest.approx(score))


@pytest.mark.parametrize(
    ("reply", "kind", "score"),
    [
        ("A knife cuts the bread well.", "reveals", 0.0),
        ("The last option cuts the bread with a blade.", "reveals", 0.0),
        ("Take thing 2 and slice the bread with it.", "reveals", 0.0),
        ("The sky is blue above the quiet town.", "question", 0.0),
    ],
)
def test_what_breaks_a_rule_never_reaches_the_student(reply, kind, score):
    student = Reads(0.9, 0.1)
    verdict = judge_rationale(reply, BREAD, student)
    assert (kinds(verdict)[0], verdict.score, student.calls) == (kind, score, 0)


def test_at_most_three_problems_of_a_rationale_are_told():
    verdict = judge_rationale("a knife is. the sky is.", BREAD, Reads(0.9, 0.1))
    assert [problem.kind for problem in verdict.problems][:2] == ["reveals", "question"]
    assert len(verdict.problems) == 3


@pytest.mark.parametrize("words", [60, 61])
def test_a_rationale_has_at_most_sixty_words(words):
    verdict = judge_rationale("bread " * words, BREAD, Reads(0.9, 0.1))
    assert (kinds(verdict) == ["length"]) == (words > 60)
    assert verdict.score == 0.0 if words > 60 else verdict.score <= 0.05


def test_what_a_student_gains():
    known = judge_rationale(GOOD, BREAD, Reads(0.7, 0.5))
    assert known.metrics["gain"] == pytest.approx(math.log(0.7 / 0.3))
    unknown = judge_rationale(GOOD, BREAD, Reads(0.7, None))
    assert unknown.metrics == known.metrics  # without shares before, it knew nothing
    sure = judge_rationale(GOOD, BREAD, Reads(1.0, 0.0))
    assert sure.metrics["gain"] == pytest.approx(2 * math.log(0.9999 / 0.0001))


@pytest.mark.parametrize(
    ("option", "reply", "revealed"),
    [
        ("rope", "A thing of hemp is for r o p e bread.", False),  # four letters
        ("ropes", "A thing of hemp is for r o p e s bread.", True),
        ("rope", "Bread hangs from ropes in a house.", True),
        ("Rope", "Bread hangs from ropes in a house.", True),
        ("the rope", "Bread hangs from a rope in a house.", True),
        ("box", "Bread comes in boxes of thick paper.", True),
        ("the", "A sharp blade goes through the crust of bread.", True),
        ("old rope", "An old thing of hemp holds bread.", False),  # one word of two
        ("old rope", "A rope that is old holds bread.", True),
    ],
)
def test_what_names_an_option(option, reply, revealed):
    asked = {**BREAD, "options": [option, "knife"]}
    found = kinds(judge_rationale(reply, asked, Reads(0.9, 0.1)))
    assert ("reveals" in found) == revealed


def test_a_background_of_bad_form_earns_a_twentieth_of_it():
    passage = examine_passage("Sharp blue steel cuts bread", 1, 2, 60)
    asked = {**BREAD, "question": "What cuts bread?"}
    verdict = judge_rationale("Sharp blue steel cuts bread", asked, Reads(0.9, 0.1))
    assert kinds(verdict) == ["ending"] and 0.0 < passage.form < 1.0
    assert verdict.score == pytest.approx(0.05 * passage.form)
    assert kinds(judge_rationale("", BREAD, Reads(0.9, 0.1))) == ["sentences"]


def test_a_number_that_points_is_quoted_in_short():
    verdict = judge_rationale(f"The bread is {'1' * 30}.", BREAD, Reads(0.9, 0.1))
    assert verdict.problems[0].message.startswith(f"Do not write {quote('1' * 30, 24)}: give")


def test_a_background_adds_three_words_of_its_own():
    asked = {**BREAD, "question": "What cuts bread?"}
    two = judge_rationale("Sharp steel cuts bread.", asked, Reads(0.9, 0.1))
    assert two.problems[0].message.startswith("Your background only repeats the question.")
    assert judge_rationale("Sharp blue steel cuts bread.", asked, Reads(0.9, 0.1)).success


# ---------------------------------------------------------------- passages


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Dr. Fox ran. He won!", ["Dr. Fox ran.", "He won!"]),
        ('He said "no." Why', ['He said "no."', "Why"]),
        ("It is 3.5 m. So", ["It is 3.5 m.", "So"]),
        ("Best. Wait", ["Best.", "Wait"]),
        ("HMrs. Fox", ["HMrs.", "Fox"]),  # a word that ends like a title
        ("Mrs. Fox", ["Mrs. Fox"]),
        ("", []),
    ],
)
def test_sentences_of_a_passage(text, sentences):
    assert split_sentences(text) == sentences


def test_passages_at_their_limits():
    rain = "The rain fell. Anna went home."
    assert examine_passage(rain, 2, 2, 6).form == 1.0
    cut = examine_passage(rain, 2, 2, 5)
    assert cut.sentences == () and cut.form == 0.0
    assert cut.problems[0].message == "Your reply has 6 words. Write at most 5, in 2 sentences."
    one = examine_passage(rain, 1, 1, 60)
    assert one.problems[0].message == "Your reply has 2 sentences. Write 1 sentence."
    three = examine_passage(rain, 3, 4, 60).problems[0].message
    assert three == "Your reply has 2 sentences. Write 3 to 4 sentences."
    assert examine_passage("The rain fell.\nAnna left.", 1, 2, 60).problems == ()
    wide = "Rain" + " " * 716 + "fell."
    cut = examine_passage(wide, 1, 1, 60)
    assert len(wide) == 725 and cut.problems[0].kind == "length" and cut.sentences == ()
    fits = "Rain" + " " * 711 + "fell."
    assert len(fits) == 720 and examine_passage(fits, 1, 1, 60).sentences != ()


def test_a_word_may_come_twice_and_a_sentence_once():
    twice = "The dog ran home. A dog slept."
    assert examine_passage(twice, 1, 5, 60).problems == ()
    thrice = f"{twice} We saw the dogs."
    assert [p.message for p in examine_passage(thrice, 1, 5, 60).problems] == [
        'You used "dogs" more than 2 times.'
    ]
    assert examine_passage(thrice, 1, 5, 60, often=["dog"]).problems == ()
    again = examine_passage("We ran home. We RAN home.", 1, 5, 60).problems
    assert again[-1].message == 'You wrote "We RAN home." more than once.'
    assert content_words("The Dog and I RAN.") == ["dog", "ran"]

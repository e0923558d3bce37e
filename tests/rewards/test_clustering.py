"""Groups of students: scores, exact feedback, parsing, exploits, robustness."""

import time

import numpy as np
import pytest

from corgi_gym.rewards import judge
from corgi_gym.rewards.clustering import clustering

CLASS = {
    "students": ["Anna", "Ben", "Carl", "Dora", "Emil", "Fay"],
    "wishes": [["Anna", "with", "Ben"], ["Carl", "without", "Fay"]],
}
CHECKS = 3 + 6 + 2
GOOD = "Group 1: Anna, Ben\nGroup 2: Carl, Dora\nGroup 3: Emil, Fay"
FORMAT = 'Write only lines like "Group 1: name, name".'


@pytest.mark.parametrize("example", clustering.examples, ids=lambda e: e.reply[:40])
def test_declared_examples(example):
    assert judge(clustering, example.reply, example.target).success is example.passes


@pytest.mark.parametrize(
    "reply, wrong, expected",
    [
        (
            "Group 1: Anna, Ben, Carl, Dora, Emil, Fay",
            2,
            ["You made 1 group. Make at least 2 groups.",
             "Carl does not want to be with Fay, but both are in group 1."],
        ),
        (
            "Group 1: Anna, Dora, Ben\nGroup 2: Carl, Emil",
            2,
            ["Fay is in no group. Put every student into one group."],
        ),
        (
            "Group 1: Anna, Dora\nGroup 2: Ben, Emil\nGroup 5: Carl, Fay",
            2,
            ["Anna wants to be with Ben, but Ben is not in group 1.",
             "Carl does not want to be with Fay, but both are in group 5."],
        ),
        (
            "Group 1: Anna, Ben, Dora\nGroup 2: Emil, Fay\nGroup 3: Carl",
            1,
            ["Group 3 has only Carl. Every group needs at least 2 students."],
        ),
        (
            "Group 1: Anna, Ben, Zoe\nGroup 2: Carl, Dora, Bob\nGroup 3: Emil, Fay",
            1,
            ['"Zoe" is not one of the students.',
             '"Bob" is not one of the students. Use only the given names.'],
        ),
        (
            GOOD + ", Anna, Emil",
            2,
            ["Anna is in groups 1 and 3.",
             "Emil is in group 3 twice. Put every student into only one group."],
        ),
        (f"Sure:\n{GOOD}", 1, [f'The line "Sure:" is not a group. {FORMAT}']),
        (f"{GOOD}\nGroup 4:", 1, [f"Group 4 is empty. {FORMAT}"]),
        (GOOD.replace("3:", "1:"), 1, [f"Group 1 is listed twice. {FORMAT}"]),
        ("I do not know.", CHECKS, [f"You made no groups. {FORMAT}"]),
        ("Group 1:\nGroup 2:", CHECKS, [f"You made no groups. {FORMAT}"]),
    ],
)  # fmt: skip
def test_exact_feedback_and_score(reply, wrong, expected):
    verdict = judge(clustering, reply, CLASS)
    assert [p.message for p in verdict.problems] == expected
    assert verdict.score == pytest.approx(1 - wrong / CHECKS)


@pytest.mark.parametrize(
    "reply",
    [
        GOOD,
        GOOD.lower(),
        GOOD.upper(),
        GOOD.replace("\n", "\n\n"),
        GOOD.replace(", ", " and "),
        GOOD.replace(", ", " & "),
        GOOD.replace("Group", "- Group") + ".",
        GOOD.replace("Group 1:", "**Group 1:**").replace("Group 2:", "* **Group 2**:"),
        GOOD.replace("Group", "### Group"),
        GOOD.replace("Group", "1. **Group").replace(":", ":**"),
        GOOD.replace("Group", "1) `Group").replace(":", "`:"),
        "Group 1: Anna, Ben, Emil, and Fay\nGroup 2: Dora, Carl",
        "Group 7: Ben, Anna, Fay\r\nGroup 3: Carl, Dora, Emil ",
    ],
)  # fmt: skip
def test_accepted_forms(reply):
    assert [p.message for p in judge(clustering, reply, CLASS).problems] == []


def test_everybody_everywhere_fails_low():
    everyone = ", ".join(CLASS["students"])
    verdict = judge(clustering, f"Group 1: {everyone}\nGroup 2: {everyone}", CLASS)
    assert verdict.score <= 1 - 6 / CHECKS


def test_a_template_without_students_earns_nothing():
    verdict = judge(clustering, "Group 1: name, name\nGroup 2: name, name", CLASS)
    assert verdict.score == 0.0
    assert [p.message for p in verdict.problems] == [
        '"name" is not one of the students. Use only the given names.'
    ]


def test_singletons_fail_low():
    reply = "\n".join(f"Group {i}: {name}" for i, name in enumerate(CLASS["students"]))
    assert judge(clustering, reply, CLASS).score <= 1 - 6 / CHECKS


def test_many_fine_groups_of_strangers_do_not_dilute_mistakes():
    bad = "Group 1: Anna, Dora\nGroup 2: Ben, Emil\nGroup 3: Carl, Fay"
    padding = "\n".join(f"Group {i}: Xa{i}, Xb{i}" for i in range(4, 40))
    alone = judge(clustering, bad, CLASS).score
    assert judge(clustering, f"{bad}\n{padding}", CLASS).score < alone


def test_success_does_not_depend_on_group_order_or_numbers():
    lines = ["Group 9: Fay, Emil", "Group 2: Dora, Carl", "Group 4: Ben, Anna"]
    assert judge(clustering, "\n".join(lines), CLASS).success


def test_never_raises_and_is_fast(fuzz_strings):
    took = []
    for text in fuzz_strings:
        start = time.process_time()
        verdict = clustering(text, CLASS)
        took.append(time.process_time() - start)
        assert verdict == clustering(text, CLASS)
        assert 0.0 <= verdict.score <= 1.0 and verdict.success == (not verdict.problems)
        assert all(len(p.message.split()) <= 25 for p in verdict.problems)
    assert np.percentile(took, 99) < 5e-3


def test_a_reply_with_too_many_names_is_said_to_be_too_long():
    """Lines beyond the names that are read were called empty, which they are not."""
    lines = [f"Group {i}: {', '.join(['Anna'] * 50)}" for i in range(1, 7)]
    (problem,) = [
        p for p in judge(clustering, "\n".join(lines), CLASS).problems if p.kind == "format"
    ]
    assert problem.message == f"Your reply is too long. {FORMAT}"

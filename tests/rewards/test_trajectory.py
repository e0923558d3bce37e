"""Self-improving replies: cutting them, reading their feedback, and the scripted critics."""

import pytest

from corgi_gym.envs import load_family
from corgi_gym.rewards import judge
from corgi_gym.rewards.step_feedback import (
    SCRIPTS,
    criticise_arithmetic,
    criticise_sorting,
    mend_arithmetic,
    mend_sorting,
)
from corgi_gym.rewards.trajectory import (
    ALL_CORRECT,
    DETAILS,
    StepFeedback,
    Trajectory,
    final_attempt,
    is_answered,
    parse_feedback,
    parse_trajectory,
)

TASK = "(3 + 4) * (2 - 5)"
WITNESS = "3 + 4 = 7\n2 - 5 = -3\n7 * -3 = -21\nAnswer: -21"


def test_a_trajectory_is_read_back_from_its_text():
    made = Trajectory(("1 + 1 = 3\nAnswer: 3", "Answer: 2"), ("Step 1 is incorrect.", ALL_CORRECT))
    assert parse_trajectory(made.text()) == made
    open_end = Trajectory(("Answer: 3", "Answer: 2"), ("Step 1 is incorrect.",))
    assert parse_trajectory(open_end.text()) == open_end


@pytest.mark.parametrize(
    ("reply", "attempts", "feedbacks"),
    [
        ("", ("",), ()),
        ("Answer: 1", ("Answer: 1",), ()),
        ("Answer: 1\nFeedback:", ("Answer: 1",), ("",)),
        ("Updated answer:\nAnswer: 1", ("Updated answer:\nAnswer: 1",), ()),  # out of turn
        ("a\nFeedback: b\nFeedback: c", ("a",), ("b\nFeedback: c",)),
        ("a Feedback: b", ("a Feedback: b",), ()),  # only a line of its own begins feedback
        ("a\nFeedback: b\nUpdated answer: c", ("a", "c"), ("b",)),
    ],
)
def test_markers_count_in_turn(reply, attempts, feedbacks):
    assert parse_trajectory(reply) == Trajectory(attempts, feedbacks)


@pytest.mark.parametrize(
    ("reply", "judged"),
    [
        ("Answer: 1\nFeedback: b\nUpdated answer:\nAnswer: 2", "Answer: 2"),
        ("Answer: 1\nFeedback: b\nUpdated answer:\n2 +", "Answer: 1"),  # cut off
        ("no answer\nFeedback: b\nUpdated answer:\n2 +", "2 +"),
        ("Answer: 1\nFeedback: Answer: 2", "Answer: 1"),
    ],
)
def test_the_last_attempt_with_an_answer_counts(reply, judged):
    assert final_attempt(reply) == judged


@pytest.mark.parametrize("detail", DETAILS)
@pytest.mark.parametrize("step", [1, 2, 7])
def test_feedback_is_read_back_as_far_as_it_was_written(step, detail):
    found = StepFeedback(step, '3 + "4" = 8', "3 + 4 is 7")
    read = parse_feedback(found.text(detail))
    assert read.step == step and read.agrees_with(found)
    assert read.part == (found.part if detail in ("full", "no_reason") else "")
    assert read.reason == (found.reason if detail in ("full", "no_part") else "")


@pytest.mark.parametrize(
    "text",
    [
        "", "Wrong.", "Step 0 is incorrect.", "Step 1000 is incorrect.", "Step 1 is correct.",
        'In step 2 the part "x" is incorrect because a.\nMore.', "All steps are correct.",
        'In step 2 the part "" is incorrect.', f'In step 1 the part "{"x" * 201}" is incorrect.',
    ],
)  # fmt: skip
def test_other_text_is_no_feedback(text):
    assert parse_feedback(text) is None
    assert parse_feedback(ALL_CORRECT) == "correct"


@pytest.mark.parametrize(
    ("attempt", "step", "part", "reason"),
    [
        ("3 + 4 = 8\nAnswer: 8", 1, "3 + 4 = 8", "3 + 4 is 7"),
        ("2 - 5 = -3\n3 + 4 = 7\n7 * -3 = -20\nAnswer: -20", 3, "7 * -3 = -20", "7 * -3 is -21"),
        ("3 + 4 = 7\n7 * 5 = 35\nAnswer: 35", 2, "7 * 5", "this step should work out 2 - 5"),
        ("3 + 4 = 7\nso it is seven\nAnswer: 7", 2, "so it is seven", "a step is an equation"),
        ("Answer: 5", 1, "5", "the step that works out 3 + 4 is missing"),
        ("3 + 4 = 7\n2 - 5 = -3\n7 * -3 = -21\nAnswer: 21", 4, "21", "the last step gives -21"),
        ("3 + 4 = 7\n2 - 5 = -3\n7 * -3 = 0 - 21\nAnswer: 1", 3, "0 - 21", "further, to -21"),
        (f"{WITNESS[:-11]}1 + 1 = 2\nAnswer: 2", 4, "1 + 1 = 2", "worked out already"),
    ],
)
def test_the_first_mistake_of_a_sum(attempt, step, part, reason):
    found = criticise_arithmetic(attempt, TASK, WITNESS)
    assert (found.step, found.part) == (step, part) and reason in found.reason
    mended = mend_arithmetic(attempt, found, TASK, WITNESS)
    assert mended.split("\n")[: step - 1] == attempt.split("\n")[: step - 1]
    assert judge(load_family("multistep_arithmetic").checker, mended, TASK).success


def test_no_answer_or_no_mistake_is_no_feedback():
    assert criticise_arithmetic(WITNESS, TASK, WITNESS) is None
    assert criticise_arithmetic("3 + 4 = 8", TASK, WITNESS) is None
    assert criticise_sorting("fig, kiwi", {"words": ["kiwi", "fig"]}, "") is None
    assert criticise_sorting("Answer: fig, kiwi", {"words": ["kiwi", "fig"]}, "") is None


@pytest.mark.parametrize(
    ("listed", "part", "reason", "mended"),
    [
        ("kiwi, fig, pear", "Answer: kiwi", "fig comes before kiwi", "fig, kiwi, pear"),
        ("fig, pear, kiwi", "fig, pear", "kiwi comes before pear", "fig, kiwi, pear"),
        ("fig, fig, pear", "fig, fig", "fig is listed twice", "fig, kiwi, pear"),
        ("fig, plum, kiwi, pear", "fig, plum", "plum is not among", "fig, kiwi, pear"),
        ("fig, pear", "fig, pear", "kiwi is missing before pear", "fig, kiwi, pear"),
        ("fig, kiwi", "kiwi", "pear is missing after it", "fig, kiwi, pear"),
        ("fig, kiwi, pear, plum", "pear, plum", "all words are listed", "fig, kiwi, pear"),
        ("pear, kiwi, fig", "Answer: pear", "fig comes before pear", "fig, pear, kiwi"),
    ],
)
def test_the_first_mistake_of_a_list(listed, part, reason, mended):
    target = {"words": ["pear", "fig", "kiwi"]}
    found = criticise_sorting(f"Answer: {listed}", target, "")
    assert (found.step, found.part) == (1, part) and reason in found.reason
    assert mend_sorting(f"Answer: {listed}", found, target, "") == f"Answer: {mended}"


@pytest.mark.parametrize("family", SCRIPTS)
def test_scripts_bring_every_answered_near_miss_to_a_solution(family):
    source, script = load_family(family)(), SCRIPTS[family]
    mended = 0
    for index in range(30):
        task = source.item(seed=0, index=index)
        for attempt in filter(is_answered, source.near_misses(task)):
            for _ in range(25):  # a list of 7 words can need as many corrections
                if judge(task.checker, attempt, task.target).success:
                    mended += 1
                    break
                found = script.criticise(attempt, task.target, task.witness)
                assert found is not None, (task.prompt, attempt)
                assert found.part in attempt
                attempt = script.mend(attempt, found, task.target, task.witness)
            else:
                raise AssertionError(attempt)
    assert mended > 200


def test_scripts_never_raise(fuzz_strings):
    words = {"words": ["pear", "fig", "kiwi"]}
    for text in fuzz_strings:
        for attempt in (text, f"{text}\nAnswer: {text}"):
            parse_feedback(text)
            final_attempt(attempt)
            criticise_arithmetic(attempt, TASK, WITNESS)
            criticise_sorting(attempt, words, "")
            mend_sorting(attempt, StepFeedback(1), words, "")

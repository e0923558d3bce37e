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
    final_span,
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
        ("a\nUpdated answer: b\nFeedback: c", ("a\nUpdated answer: b",), ("c",)),
        ("a\n**Feedback:** b\nUPDATED Answer:\nc", ("a", "c"), ("b",)),
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
        ("3 + 4 = 7\nFeedback: b\nUpdated answer:", "3 + 4 = 7"),
    ],
)
def test_the_last_attempt_with_an_answer_counts(reply, judged):
    assert reply[slice(*final_span(reply))] == judged


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


def test_a_sum_may_take_the_same_step_twice():
    witness = "3 + 4 = 7\n3 + 4 = 7\n7 * 7 = 49\nAnswer: 49"
    task = "(3 + 4) * (3 + 4)"
    assert criticise_arithmetic(witness, task, witness) is None
    once = "3 + 4 = 7\n7 * 7 = 49\nAnswer: 49"
    assert criticise_arithmetic(once, task, witness).reason.startswith(
        "the step that works out 3 + 4"
    )
    wrong = "3 + 4 = 7\n3 + 4 = 8\n7 * 8 = 56\nAnswer: 56"
    found = criticise_arithmetic(wrong, task, witness)
    assert found.step == 2 and mend_arithmetic(wrong, found, task, witness) == witness


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
        # words are told apart as the checker does
        ("pear kiwi fig", "Answer: pear", "fig comes before pear", "fig, pear, kiwi"),
        ("pear; kiwi; fig.", "Answer: pear", "fig comes before pear", "fig, pear, kiwi"),
        ("fig kiwi.", "kiwi", "pear is missing after it", "fig, kiwi, pear"),
        ("fig, kiwi. pear", "fig, kiwi.", "kiwi. is not among", "fig, kiwi, pear"),
        ("fig and pear", "fig and", "and is not among", "fig, kiwi, pear"),
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
            final_span(attempt)
            criticise_arithmetic(attempt, TASK, WITNESS)
            criticise_sorting(attempt, words, "")
            mend_sorting(attempt, StepFeedback(1), words, "")


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (1, "Step 1 is incorrect."),
        (2, "Step 1 is correct. Step 2 is incorrect."),
        (3, "Steps 1 to 2 are correct. Step 3 is incorrect."),
    ],
)
def test_feedback_says_which_steps_are_correct(step, text):
    assert StepFeedback(step).text() == text
    assert parse_feedback(f" {text} \n") == StepFeedback(step)


def test_parts_of_200_and_reasons_of_300_characters_are_read():
    longest = StepFeedback(1, "x" * 200, "y" * 300)
    assert parse_feedback(longest.text()) == longest
    assert parse_feedback(StepFeedback(1, "x", "y" * 301).text()) is None
    assert parse_feedback(StepFeedback(1, "x" * 201, "y").text()) is None


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        (StepFeedback(1, "a"), StepFeedback(1, "a + b"), True),
        (StepFeedback(1, "a + b"), StepFeedback(1, "a"), True),
        (StepFeedback(1, "a"), StepFeedback(1, "b"), False),
        (StepFeedback(1, "a"), StepFeedback(2, "a"), False),
        (StepFeedback(1), StepFeedback(1, "a"), True),
    ],
)
def test_findings_that_agree(one, other, agree):
    assert one.agrees_with(other) is agree


@pytest.mark.parametrize(
    ("attempt", "step", "part", "reason"),
    [
        ("3 + 4 = 7 = 8\nAnswer: 8", 1, "7 = 8", "7 is 7"),
        ("3 + 4 = seven\nAnswer: 7", 1, "3 + 4 = seven", "it is not plain arithmetic"),
        ("= 7\nAnswer: 7", 1, "= 7", "this step should work out 3 + 4"),
        ("3 + 4 = 3 + 4\nAnswer: 7", 1, "3 + 4", "it can be worked out further, to 7"),
        ("seven\nAnswer: 7", 1, "seven", "a step is an equation, here one that works out 3 + 4"),
        ("2 - 5 = -3\nAnswer: -3", 2, "-3",
         "the step that works out 3 + 4 is missing before it"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_step(attempt, step, part, reason):
    found = criticise_arithmetic(attempt, TASK, WITNESS)
    assert (found.step, found.part, found.reason) == (step, part, reason)


def test_an_answer_in_another_form_is_right():
    assert criticise_arithmetic(WITNESS.replace("er: -21", "er: -21.0"), TASK, WITNESS) is None
    spaced = WITNESS.replace("3 + 4", "3+4")
    assert criticise_arithmetic(spaced, TASK, WITNESS) is None
    assert mend_arithmetic(spaced, StepFeedback(4), TASK, WITNESS) == spaced


FRUIT = {"words": ["pear", "fig", "kiwi"]}


@pytest.mark.parametrize(
    ("attempt", "step", "part", "reason", "mended"),
    [
        ("Answer: ,", 1, "Answer: ,", "fig is missing", "Answer: fig"),
        ("I sort.\n\nAnswer: kiwi, fig", 2, "Answer: kiwi", "fig comes before kiwi in the alphabet",
         "I sort.\nAnswer: fig, kiwi"),
        ("Answer: **Fig**, , _pear_, Kiwi.", 1, "Fig**, , _pear",
         "kiwi comes before pear in the alphabet", "Answer: fig, kiwi, pear"),
        ("Answer: fig, kiwi, pear, pear, fig", 1, "pear, pear", "all words are listed before it",
         "Answer: fig, kiwi, pear"),
        ("Answer: fig, kiwi, plum", 1, "kiwi, plum", "plum is not among the given words",
         "Answer: fig, kiwi, pear"),
        ("Answer: fig, kiwi, kiwi, pear", 1, "kiwi, kiwi", "kiwi is listed twice",
         "Answer: fig, kiwi, pear"),
        ("Answer: fig", 1, "fig", "kiwi is missing after it", "Answer: fig, kiwi"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_list(attempt, step, part, reason, mended):
    found = criticise_sorting(attempt, FRUIT, "")
    assert (found.step, found.part, found.reason) == (step, part, reason)
    assert mend_sorting(attempt, found, FRUIT, "") == mended


def test_a_right_list_needs_no_mending():
    assert mend_sorting("Answer: fig, kiwi, pear", StepFeedback(1), FRUIT, "") is None
    assert mend_sorting("fig, kiwi, pear", StepFeedback(1), FRUIT, "") is None

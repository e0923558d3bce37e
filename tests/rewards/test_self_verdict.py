"""The format of a reply that judges itself: what is the answer, and what is a verdict."""

import pytest

from corgi_gym.rewards.self_verdict import AGAIN, DONE, NO_VERDICT, REQUEST, judged, take_apart


@pytest.mark.parametrize(
    ("reply", "answer", "feedback", "verdict"),
    [
        ("Answer: 8\nVerdict: correct", "Answer: 8", "", True),
        ("Answer: 8\n\n**Verdict:** Incorrect.\n", "Answer: 8", "", False),
        ("a\nFeedback: no b.\nVerdict: incorrect", "a", "no b.", False),
        ("a\n*Feedback*: no b.\nIt needs one.\nVerdict: incorrect", "a", "no b.", False),
        ("Verdict: correct", "", "", True),
        # no verdict: missing, unknown, twice, not last, in the middle of a line
        ("a", "a", "", None),
        ("", "", "", None),
        ("a\nVerdict: maybe", "a", "", None),
        ("a\nVerdict: correct\nVerdict: incorrect", "a", "", None),
        ("a\nVerdict: correct\nb", "a", "", None),
        ("a\nFeedback: fine", "a", "fine", None),
        ("The Verdict: correct", "The Verdict: correct", "", None),
        # what follows a marker is never part of the answer
        ("wrong\nVerdict: incorrect\nright", "wrong", "", None),
    ],
)
def test_take_apart(reply, answer, feedback, verdict):
    found = take_apart(reply)
    assert (found.answer, found.feedback, found.verdict) == (answer, feedback, verdict)
    assert reply[: found.end].rstrip() == answer.rstrip()
    assert found.message == {True: DONE, False: AGAIN, None: NO_VERDICT}[verdict]


def test_the_request_shows_lines_that_are_read():
    shown = REQUEST.split('"')[1::2]
    assert [take_apart(f"Answer: 8\n{line}").verdict for line in shown] == [True, False]


@pytest.mark.parametrize("correct", [True, False])
@pytest.mark.parametrize("feedback", ["", "It has\n  two errors."])
def test_what_is_written_is_read(correct, feedback):
    found = take_apart("".join(judged("Answer: 8", correct, feedback)))
    assert (found.answer, found.verdict) == ("Answer: 8", correct)
    assert found.feedback == " ".join(feedback.split())


def test_any_string_is_taken_apart_quickly():
    for reply in (
        "\n" * 200_000,
        "Verdict:" * 30_000,
        "_*`\"' ." * 30_000,
        "Feedback: " + "x" * 200_000,
    ):
        found = take_apart(reply)
        assert found.verdict is None and len(found.feedback) <= 10_000

"""What is read off finished sessions."""

import json

import pytest

from corgi_gym.agents.episode import Attempt, Episode, repeat_share, success_by_attempt


def episode(*attempts, index=0):
    """Attempts as (reply, score), or None for one whose checker failed."""
    made = [
        Attempt(
            reply=a[0] if a else "x", feedback="f", score=a[1] if a else 0.0,
            success=bool(a and a[1] == 1.0), unscored=a is None, truncated=False, problems=[],
            tokens=2,
        )
        for a in attempts
    ]  # fmt: skip
    return Episode(
        "family", f"family/{index}", index, 0, 0, attempts=made,
        step_rewards=[0.5] * len(made), messages=[{"role": "user", "content": "Do it."}],
        model_mask=[0, 1, 1] * len(made),
    )  # fmt: skip


def test_success_by_attempt_by_hand():
    episodes = [
        episode(("a", 1.0)),
        episode(("a", 0.5), ("b", 1.0)),
        episode(("a", 0.5), ("b", 0.5), ("c", 0.9)),
        episode(None, ("a", 0.1), ("b", 1.0)),
        episode(None, None),  # says nothing
    ]
    assert success_by_attempt(episodes, 4) == [0.25, 0.5, 0.75, 0.75]
    assert success_by_attempt([], 2) == success_by_attempt([episode(None)], 2) == [0.0, 0.0]


def test_repeats_are_word_for_word():
    episodes = [
        episode(("a b", 0.1), ("a  b", 0.1), ("a c", 0.1)),
        episode(("a", 0.1), ("A", 0.1)),
        episode(("a", 1.0)),
    ]
    assert [e.retries for e in episodes] == [2, 1, 0]
    assert [e.repeats for e in episodes] == [1, 0, 0]
    assert repeat_share(episodes) == pytest.approx(1 / 3)
    assert repeat_share(episodes[2:]) == repeat_share([]) == 0.0


def test_a_record_is_json_without_the_token_arrays():
    record = episode(("a", 0.5), ("b", 1.0), index=3).record()
    assert json.loads(json.dumps(record)) == record
    assert "token_ids" not in record and "logprobs" not in record
    assert record["prompt"] == "Do it." and record["index"] == 3 and record["tokens"] == 4
    assert (record["reward"], record["best_score"], record["success"]) == (1.0, 1.0, True)

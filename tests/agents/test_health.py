"""Numbers that are not finite stop the step and name the session; slow drifts raise alarms."""

import math

import pytest

from corgi_gym.agents.episode import Attempt, Episode
from corgi_gym.agents.health import (
    Alarms,
    UnhealthyError,
    check_episodes,
    round_health,
    zero_variance_share,
)


def episode(rewards, *, index=0, unscored=(), logprobs=(-0.5, -0.5), truncated=False):
    attempts = [
        Attempt("a b", "Try again.", 0.0, False, t in unscored, truncated, [], 2)
        for t in range(len(rewards))
    ]
    return Episode(
        task="t", task_id=f"t/{index}", index=index, seed=7, policy_version=0,
        token_ids=[1] + [2, 3] * len(rewards), model_mask=[0] + [1, 1] * len(rewards),
        logprobs=[0.0, *logprobs * len(rewards)],
        turn_ends=[3 + 2 * t for t in range(len(rewards))],
        step_rewards=list(rewards), attempts=attempts,
    )  # fmt: skip


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_reward_that_is_no_number_names_its_session(value):
    with pytest.raises(UnhealthyError, match=r"attempt 2 of task t/3 \(index 3, session seed 7\)"):
        check_episodes([episode([0.5]), episode([0.5, value], index=3)])


def test_a_log_prob_that_is_no_number_names_its_session():
    with pytest.raises(
        UnhealthyError, match="log-prob that is not finite in attempt 1 of task t/0"
    ):
        check_episodes([episode([0.5], logprobs=(-0.5, -math.inf))])


def test_sound_sessions_pass():
    check_episodes([episode([0.5, 0.0]), episode([1.0])])


def test_zero_variance_is_about_tasks_with_several_scored_sessions():
    same = [episode([0.5], index=1), episode([0.5], index=1)]
    other = [episode([0.5], index=2), episode([0.6], index=2)]
    alone = [episode([0.5], index=3), episode([0.1], index=3, unscored=(0,))]
    assert zero_variance_share([*same, *other, *alone]) == 0.5
    assert zero_variance_share(alone) == 0.0


def test_zero_variance_compares_what_the_credit_compares():
    """Every session earns 1, at different attempts: the same to what learns from its sum."""
    ways = ([1.0], [0.5, 0.5], [0.0, 1.0], [0.25, 0.25, 0.5], [0.1] * 10)
    summed = [episode(rewards, index=i) for i in range(4) for rewards in ways]
    for credit in ("session", "loo"):
        assert zero_variance_share(summed, credit) == 1.0, credit
        assert round_health(summed, credit)["zero_variance"] == 1.0
    assert zero_variance_share(summed, "attempt") == zero_variance_share(summed) == 0.0
    apart = [episode([reward], index=i) for i, reward in enumerate((0.1, 0.9)) for _ in range(4)]
    assert zero_variance_share(apart, "session") == 1.0
    assert zero_variance_share(apart, "batch") == 0.0  # one task is better than the other


def test_round_health():
    health = round_health(
        [episode([0.5, 0.1], unscored=(1,)), episode([0.0], unscored=(0,), truncated=True)]
    )
    assert health == {
        "masked": 0.5, "unscored_share": pytest.approx(2 / 3), "truncated": pytest.approx(1 / 3),
        "reply_tokens": 2.0, "zero_variance": 0.0,
    }  # fmt: skip


def kinds(rows):
    alarms = Alarms()
    return [[alarm.kind for alarm in alarms.watch(row)] for row in rows]


def test_alarms_at_once():
    assert kinds([{"mismatch": 0.05}, {"mismatch": 0.07}]) == [[], ["mismatch"]]
    assert kinds([{"unscored_share": 0.05}, {"unscored_share": 0.06}]) == [[], ["unscored"]]
    assert kinds([{"masked": 0.5}, {"masked": 0.51}]) == [[], ["masked"]]


@pytest.mark.parametrize("key", ["repeats", "truncated", "zero_variance"])
def test_alarms_after_three_rounds_in_a_row(key):
    rows = [{key: v} for v in (0.95, 0.95, 0.5, 0.9, 0.9, 0.9, 0.9, 0.1, 0.9)]
    assert kinds(rows) == [[], [], [], [], [], [key], [], [], []]


def test_demonstrations_say_nothing_of_the_policy():
    shown = {"demonstrations": 1, "truncated": 1.0, "zero_variance": 1.0}
    certain = [{**shown, "entropy": 1.0}] * 3 + [{**shown, "entropy": 0.01}]
    assert kinds([*certain, {**shown, "masked": 1.0}]) == [[], [], [], [], ["masked"]]
    cut = [{"demonstrations": share, "truncated": 1.0} for share in (0, 0, 0, 1, 0, 1, 0)]
    assert kinds(cut) == [[], [], ["truncated"], [], [], [], []]  # it sounds once
    sampled = [{"demonstrations": 0.5, "entropy": 0.1}] * 4
    assert kinds(certain + sampled) == [[]] * 8
    assert kinds([*certain, *sampled, {"demonstrations": 0, "entropy": 0.009}])[-1] == ["entropy"]


def test_a_round_of_which_little_was_checked_says_nothing_of_the_policy():
    sound = {"masked": 0.0, "entropy": 2.0, "reply_tokens": 20.0, "zero_variance": 0.0}
    for entropy in (None, 0.0):  # 0.0: what rows of earlier versions have
        broken = {**sound, "masked": 1.0, "entropy": entropy}
        assert kinds([sound] * 4 + [broken, sound]) == [[]] * 4 + [["masked"], []]
        fallen = {**sound, "entropy": 0.1}
        # not in the mean of the first rounds, and what sounds goes on
        rows = [broken, broken, broken, *[sound] * 3, fallen, broken, fallen]
        assert kinds(rows) == [["masked"], *[[]] * 5, ["entropy"], ["masked"], []]


def test_entropy_and_length_are_compared_with_the_first_rounds():
    fall = [{"entropy": 2.0}] * 3 + [{"entropy": 0.2}, {"entropy": 0.19}, {"entropy": None}]
    assert kinds(fall) == [[], [], [], [], ["entropy"], []]
    short = [{"reply_tokens": 40.0}] * 3 + [{"reply_tokens": 10.0}, {"reply_tokens": 9.0}]
    assert kinds(short) == [[], [], [], [], ["length"]]
    long = [{"reply_tokens": 10.0}] * 3 + [{"reply_tokens": 40.0}, {"reply_tokens": 41.0}]
    assert kinds(long) == [[], [], [], [], ["length"]]


def test_an_alarm_sounds_again_after_its_cause_was_gone():
    assert kinds([{"masked": v} for v in (0.9, 0.9, 0.1, 0.9)]) == [["masked"], [], [], ["masked"]]


def test_a_healthy_run_is_silent():
    row = {
        "mismatch": 0.042, "unscored_share": 0.0, "masked": 0.0, "entropy": 1.5, "repeats": 0.3,
        "truncated": 0.05, "zero_variance": 0.2, "reply_tokens": 12.0,
    }  # fmt: skip
    assert kinds([row] * 10) == [[]] * 10

"""Advantages per attempt: hand-computed, unbiased, and hard on repeats."""

import itertools
import math

import numpy as np
import pytest

from corgi_gym.agents.credit import CREDITS, attempt_advantages, rewards_to_go


def test_reward_to_go_is_what_is_still_to_come():
    assert rewards_to_go([0.2, 0.0, 0.3]) == pytest.approx([0.5, 0.3, 0.3])
    assert rewards_to_go([]) == []


def test_session_credit_by_hand():
    groups = [[[1.0], [0.0, 0.0], [0.2, 0.3]], [[0.5], [0.5]]]
    got = attempt_advantages(groups, "session", scale="none")
    assert got[0][0] == pytest.approx([0.5])
    assert got[0][1] == pytest.approx([-0.5, -0.5])
    assert got[0][2] == pytest.approx([0.0, 0.0])
    assert got[1] == [[0.0], [0.0]]


def test_attempt_credit_by_hand():
    groups = [[[0.5, 0.5], [0.5, 0.0], [0.25, 0.25, 0.5]]]
    (first, second, third) = attempt_advantages(groups, "attempt", scale="none")[0]
    # rewards to go: (1, 0.5), (0.5, 0), (1, 0.75, 0.5)
    assert first == pytest.approx([1 - 0.75, 0.5 - 0.375])
    assert second == pytest.approx([0.5 - 1, 0 - 0.625])
    # nobody else has a third attempt: the mean over the others' retries is the baseline
    assert third == pytest.approx([1 - 0.75, 0.75 - 0.25, 0.5 - 0.25])


def test_a_lone_retry_is_compared_with_the_other_groups_and_a_lone_session_with_nothing():
    groups = [[[0.0, 0.4], [1.0]], [[0.0, 0.1], [0.0, 0.3]]]
    got = attempt_advantages(groups, "attempt", scale="none")
    assert got[0][0][1] == pytest.approx(0.4 - 0.2)
    assert attempt_advantages([[[0.7, 0.2]]], "attempt", scale="none") == [[[0.0, 0.0]]]


def test_prefix_credit_compares_what_follows_the_same_rewards():
    groups = [
        [[1.0, 1.0], [-1.0, 1.0, 0.5], [-1.0, -1.0], [-1.0, 1.0, 1.0]],
        [[1.0, -1.0], [0.5, 1.0]],
    ]
    got = attempt_advantages(groups, "prefix", scale="none")
    assert got[0][1] == pytest.approx([-1 + 1 / 3, 1 - 0, 0.5 - 1])
    assert got[0][2] == pytest.approx([-1 + 1 / 3, -1 - 1])
    # nobody else in the group began with 1: the other group's session did
    assert got[0][0] == pytest.approx([1 + 1, 1 + 1])
    # and nobody at all began with 0.5
    assert got[1][1] == pytest.approx([0.5 - 1, 0.0])


@pytest.mark.parametrize("credit", ["session", "attempt"])
def test_scale_divides_by_the_root_mean_square_of_the_batch(credit):
    groups = [[[1.0], [0.0, 0.5]], [[0.2, 0.0, 0.1], [0.9]]]
    raw = attempt_advantages(groups, credit, scale="none")
    scaled = attempt_advantages(groups, credit)
    flat = [a for g in raw for s in g for a in s]
    rms = math.sqrt(sum(a * a for a in flat) / len(flat)) + 1e-4
    assert [a for g in scaled for s in g for a in s] == pytest.approx([a / rms for a in flat])
    values = [a for g in scaled for s in g for a in s]
    assert math.sqrt(np.mean(np.square(values))) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("credit", CREDITS)
def test_sessions_without_attempts_get_none_and_count_for_nothing(credit):
    with_empty = attempt_advantages([[[1.0], [], [0.0]]], credit, scale="none")
    assert with_empty[0][1] == []
    without = attempt_advantages([[[1.0], [0.0]]], credit, scale="none")
    assert [with_empty[0][0], with_empty[0][2]] == without[0]
    assert attempt_advantages([[[], []], []], credit) == [[[], []], []]


def test_an_attempt_that_was_not_scored_keeps_the_number_of_the_next():
    groups = [[[None, 1.0], [0.0, 1.0], [0.5, 0.5]]]
    got = attempt_advantages(groups, "position", scale="none")
    assert got == [[[None, 0.25], [-0.5, 0.25], [0.5, -0.5]]]
    got = attempt_advantages(groups, "attempt", scale="none")
    assert got == [[[None, 0.25], [0.0, 0.25], [0.0, -0.5]]]
    got = attempt_advantages(groups, "session", scale="none")
    assert got[0] == [[None, 0.0], [0.0, 0.0], [0.0, 0.0]]
    naive = attempt_advantages(groups, "turn_naive", scale="none")[0]
    assert naive[0] == [None, pytest.approx(1 - 5 / 6)]


@pytest.mark.parametrize("credit", CREDITS)
@pytest.mark.parametrize("scale", ["none", "batch", "group"])
def test_a_session_that_could_not_be_scored_changes_nothing(credit, scale):
    groups = [[[0.2, 0.9], [0.5], [0.1, 0.3, 0.6]]]
    with_it = [[*groups[0], [None, None]]]
    (found,) = attempt_advantages(with_it, credit, scale=scale)
    assert found[-1] == [None, None]
    expected = attempt_advantages(groups, credit, scale=scale)[0]
    for got, values in zip(found[:-1], expected, strict=True):
        assert got == pytest.approx(values)


@pytest.mark.parametrize("credit", ["session", "loo", "attempt", "turn_naive"])
def test_equal_sessions_have_no_advantage(credit):
    groups = [[[0.3, 0.2]] * 4, [[1.0]] * 4]
    assert all(a == 0 for g in attempt_advantages(groups, credit) for s in g for a in s)


def test_a_repeat_falls_below_those_that_improve():
    """All start with 0.5; one repeats (earns nothing more), the others improve."""
    repeat, better, best = attempt_advantages([[[0.5, 0], [0.5, 0.3], [0.5, 0.5]]], "attempt")[0]
    assert repeat[1] < 0 < better[1] < best[1]
    assert repeat[0] < best[0]
    # a repeat after a strong start is no better than one after a weak start
    strong, weak = attempt_advantages([[[0.9, 0.0], [0.1, 0.0]]], "attempt", scale="none")[0]
    assert strong[1] == weak[1] == 0
    # session credit pays it all the same: the reason for `attempt`
    assert attempt_advantages([[[0.9, 0.0], [0.1, 0.0]]], "session")[0][0][1] > 0


def test_the_baseline_leaves_the_session_itself_out():
    """Changing a session's own reward moves its advantage by as much."""
    group = [[0.1, 0.2], [0.3, 0.0], [0.5, 0.5]]
    before = attempt_advantages([group], "attempt", scale="none")[0][0]
    after = attempt_advantages([[[0.1, 0.7], *group[1:]]], "attempt", scale="none")[0][0]
    assert after[0] - before[0] == pytest.approx(0.5)
    assert after[1] - before[1] == pytest.approx(0.5)


def test_attempt_credit_estimates_the_true_gradient():
    """Sessions of two coin flips, where the second happens only if the first fails.

    Action 1 has probability sigmoid(theta_t). First flip: 1 ends the session with reward 1, 0 pays
    0.2. Second flip: 1 pays 0.8 more, 0 pays nothing. J = p + (1-p) (0.2 + 0.8 q), so that
    dJ/dtheta_1 = p (1-p) (0.8 - 0.8 q) and dJ/dtheta_2 = (1-p) 0.8 q (1-q).
    """
    p, q, size, batches = 0.4, 0.3, 4, 6000
    truth = np.array([p * (1 - p) * (0.8 - 0.8 * q), (1 - p) * 0.8 * q * (1 - q)])
    rng = np.random.default_rng(0)
    estimates = np.zeros((batches, 2))
    for b in range(batches):
        groups, scores = [], []
        for _ in range(2):
            first, second = rng.random(size) < p, rng.random(size) < q
            groups.append([
                [1.0] if f else [0.2, 0.8 * s] for f, s in zip(first, second, strict=True)
            ])  # fmt: skip
            scores.append([
                [f - p] if f else [f - p, s - q] for f, s in zip(first, second, strict=True)
            ])  # fmt: skip
        advantages = attempt_advantages(groups, "attempt", scale="none")
        for group, score in zip(advantages, scores, strict=True):
            for session, grads in zip(group, score, strict=True):
                for t, (a, g) in enumerate(zip(session, grads, strict=True)):
                    estimates[b, t] += a * g / (2 * size)
    error = estimates.std(0) / math.sqrt(batches)
    # a retry without any to compare with gets advantage 0: that shrinks the second component by the
    # chance that no other session of the batch retries, p^7
    expected = truth * np.array([1.0, 1 - p ** (2 * size - 1)])
    assert np.all(np.abs(estimates.mean(0) - expected) < 4 * error)
    assert np.all(error < 0.02 * truth.max())


def expected_gradient(credit, outcomes, size=3):
    """The exact expectation of the policy gradient of one group, by enumeration.

    Args:
        credit: How to credit.
        outcomes: ``(probability, step rewards, score)`` of every session there can be; the score is
            the gradient of each attempt's log-probability, a vector per attempt.
        size: Sessions in the group.
    """
    total = 0.0
    for group in itertools.product(outcomes, repeat=size):
        chance = math.prod(probability for probability, _, _ in group)
        sessions = [rewards for _, rewards, _ in group]
        advantages = attempt_advantages([sessions], credit, scale="none")[0]
        for values, (_, _, score) in zip(advantages, group, strict=True):
            total += chance * sum(a * np.array(g) for a, g in zip(values, score, strict=True))
    return total / size


def drafts(p, q, final):
    """Sessions of a task where a second attempt can be had and is worth nothing.

    With probability p the first attempt earns 0.5 and ends the session. Else it is a draft that
    earns 0.7, and a retry follows that moves the score to 1 or 0 (probabilities q, 1 - q), or is
    cut, such that the session is worth ``final`` on average: rewards are changes of the score.
    Parameters are the logits of p and q.
    """
    good, bad = final + (1 - q) * 0.2, final - q * 0.2  # mean: final
    return [
        (p, [0.5], [(1 - p, 0.0)]),
        ((1 - p) * q, [0.7, good - 0.7], [(-p, 0.0), (0.0, 1 - q)]),
        ((1 - p) * (1 - q), [0.7, bad - 0.7], [(-p, 0.0), (0.0, -q)]),
    ]


@pytest.mark.parametrize("credit", ["attempt", "loo", "session"])
def test_turns_that_are_worth_nothing_are_not_paid_for(credit):
    """Both first replies lead to 0.5 on average: nothing is to be gained by going on."""
    stopping, _ = expected_gradient(credit, drafts(p=0.4, q=0.3, final=0.5))
    assert stopping == pytest.approx(0.0, abs=1e-12)


def test_the_mean_over_the_batch_has_a_bias_that_vanishes_with_its_size():
    """It holds the session's own attempts, and more of them the longer the session is."""
    task = drafts(p=0.4, q=0.3, final=0.5)
    few, many = (expected_gradient("batch", task, size)[0] for size in (2, 6))
    assert few < many < 0  # a payment for extra turns, as the naive one
    assert abs(many) < abs(few) / 2


def test_the_naive_baseline_per_turn_pays_for_extra_turns():
    """Retries lose 0.2 on average, their mean is minus 0.2, and taking it off pays for them."""
    p, q, size = 0.4, 0.3, 3
    stopping, _ = expected_gradient("turn_naive", drafts(p, q, final=0.5), size)
    assert stopping < -0.02  # less of the reply that ends the session
    # as if the retry were free: 0.5 against 0.7, times the share that a mean with itself leaves
    assert stopping == pytest.approx(p * (1 - p) * (0.5 - 0.7) * (size - 1) / size)
    # and where retries gain, it taxes them: stopping is preferred though it earns less
    taxed, _ = expected_gradient("turn_naive", drafts(p, q, final=0.9), size)
    assert taxed == pytest.approx(stopping)
    # the truth: p (1 - p) (0.5 - 0.9)
    right, _ = expected_gradient("attempt", drafts(p, q, final=0.9), size)
    assert right == pytest.approx(p * (1 - p) * (0.5 - 0.9))


def test_attempt_credit_has_the_exact_gradient_of_retries_that_can_be_compared():
    p, q, size = 0.4, 0.3, 3
    _, retry = expected_gradient("attempt", drafts(p, q, final=0.5), size)
    truth = (1 - p) * 0.2 * q * (1 - q)  # d/dq of (1 - p)(q good + (1 - q) bad), by the logit
    # a retry that is the group's only one has nothing to be compared with
    assert retry == pytest.approx(truth * (1 - p ** (size - 1)))


def test_the_other_baselines_by_hand():
    groups = [[[0.5, 0.5], [0.2]], [[0.3]]]
    assert attempt_advantages(groups, "loo", scale="none") == [[[0.8, 0.8], [-0.8]], [[0.0]]]
    batch = attempt_advantages(groups, "batch", scale="none")
    mean = (1.0 + 0.5 + 0.2 + 0.3) / 4
    flat = [a for g in batch for s in g for a in s]
    assert flat == pytest.approx([g - mean for g in (1.0, 0.5, 0.2, 0.3)])
    naive = attempt_advantages(groups, "turn_naive", scale="none")
    assert naive[0][0] == pytest.approx([0.5 - 0.35 + 0.0, 0.0])
    assert naive[0][1] == pytest.approx([0.2 - 0.35])


@pytest.mark.parametrize("credit", CREDITS)
def test_a_group_is_scaled_by_itself(credit):
    groups = [[[1.0], [0.0, 0.5]], [[0.2, 0.0, 0.1], [0.9]]]
    raw = attempt_advantages(groups, credit, scale="none")
    scaled = attempt_advantages(groups, credit, scale="group")
    for before, after in zip(raw, scaled, strict=True):
        shared = credit in ("session", "loo")
        values = [a for s in before for a in (s[:1] if shared else s)]
        rms = math.sqrt(np.mean(np.square(values))) + 1e-4
        assert [a for s in after for a in s] == pytest.approx([a / rms for s in before for a in s])


def test_group_scaling_is_grpos():
    """One advantage per session: reward minus mean, over the standard deviation."""
    totals = [1.0, 0.25, 0.5, 0.25]
    groups = [[[0.5, 0.5], [0.25], [0.25, 0.0, 0.25], [0.25, 0.0]]]
    got = [s[0] for s in attempt_advantages(groups, "session", scale="group")[0]]
    expected = (np.array(totals) - np.mean(totals)) / (np.std(totals) + 1e-4)
    assert got == pytest.approx(expected)


def test_an_unknown_credit_is_named():
    with pytest.raises(
        ValueError, match=r"unknown credit 'turn'; choose from session, loo, batch, attempt"
    ):
        attempt_advantages([], "turn")
    with pytest.raises(
        ValueError, match="unknown scale_rewards 'std'; choose from batch, group, n"
    ):
        attempt_advantages([], scale="std")

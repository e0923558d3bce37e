"""Advantages, whitening, value clipping and the KL controller, against numbers by hand."""

import pytest
import torch

from corgi_gym.agents.gae import KLController, gae, mean_and_variance, moments, value_loss, whiten

# Two attempts of two tokens, two tokens of feedback between them, padding after them. What stands
# outside the mask must not matter.
MASK = torch.tensor([[1, 1, 0, 0, 1, 1, 0]])
REWARDS = torch.tensor([[0.0, 0.5, 7.0, 7.0, 0.0, 1.0, 7.0]])
VALUES = torch.tensor([[0.1, 0.2, 9.0, 9.0, 0.3, 0.4, 9.0]])


def test_two_attempts_by_hand():
    advantages, returns = gae(REWARDS, VALUES, MASK, gamma=0.9, lam=0.8)
    # backwards over the four model tokens, gamma * lam = 0.72:
    #   delta: 1 - 0.4 = 0.6;  0.9 * 0.4 - 0.3 = 0.06;  0.5 + 0.9 * 0.3 - 0.2 = 0.57;
    #          0.9 * 0.2 - 0.1 = 0.08
    #   A:     0.6;  0.06 + 0.72 * 0.6 = 0.492;  0.57 + 0.72 * 0.492 = 0.92424;
    #          0.08 + 0.72 * 0.92424 = 0.7454528
    expected = [0.7454528, 0.92424, 0, 0, 0.492, 0.6, 0]
    assert advantages[0].tolist() == pytest.approx(expected, abs=1e-6)
    targets = [0.8454528, 1.12424, 0, 0, 0.792, 1.0, 0]
    assert returns[0].tolist() == pytest.approx(targets, abs=1e-6)


def test_lambda_one_returns_are_discounted_rewards_whatever_the_critic_says():
    _, returns = gae(REWARDS, VALUES, MASK, gamma=0.5, lam=1.0)
    # rewards of the kept tokens: 0, 0.5, 0, 1
    expected = [0.5 * 0.5 + 0.125, 0.5 + 0.25, 0, 0, 0.5, 1.0, 0]
    assert returns[0].tolist() == pytest.approx(expected, abs=1e-6)


def test_lambda_zero_is_the_one_step_error():
    advantages, _ = gae(REWARDS, VALUES, MASK, gamma=1.0, lam=0.0)
    assert advantages[0].tolist() == pytest.approx([0.1, 0.6, 0, 0, 0.1, 0.6, 0], abs=1e-6)


def test_a_critic_that_knows_the_rewards_leaves_no_advantage():
    values = torch.tensor([[1.5, 1.5, 0.0, 0.0, 1.0, 1.0, 0.0]])
    advantages, returns = gae(REWARDS, values, MASK, gamma=1.0, lam=0.9)
    assert advantages.abs().max() < 1e-6
    assert returns[0].tolist() == pytest.approx([1.5, 1.5, 0, 0, 1, 1, 0])


def test_feedback_and_padding_are_as_if_they_were_not_there():
    generator = torch.Generator().manual_seed(0)
    rewards, values = (torch.randn(5, 12, generator=generator) for _ in range(2))
    mask = (torch.rand(5, 12, generator=generator) < 0.6).long()
    mask[3] = 0  # a session of which nothing could be scored
    advantages, returns = gae(rewards, values, mask, gamma=0.97, lam=0.9)
    for row in range(5):
        keep = mask[row].bool()
        ones = torch.ones(1, int(keep.sum()))
        alone = gae(rewards[row, keep][None], values[row, keep][None], ones, gamma=0.97, lam=0.9)
        torch.testing.assert_close(advantages[row, keep], alone[0][0])
        torch.testing.assert_close(returns[row, keep], alone[1][0])
        assert advantages[row, ~keep].abs().sum() == returns[row, ~keep].abs().sum() == 0


def test_whitening_by_hand():
    x, mask = torch.tensor([[2.0, 4.0, 100.0], [6.0, 8.0, 0.0]]), torch.tensor([[1, 1, 0]] * 2)
    # mean 5, variance (9 + 1 + 1 + 9) / 4 = 5
    got = whiten(x, mask)
    expected = [-3 / 5**0.5, -1 / 5**0.5, 0, 1 / 5**0.5, 3 / 5**0.5, 0]
    assert got.flatten().tolist() == pytest.approx(expected, abs=1e-6)


def test_moments_of_parts_add_up_to_those_of_the_whole():
    x, mask = torch.randn(6, 5) + 3, (torch.rand(6, 5) < 0.5).long()
    mask[0, 0] = mask[5, 0] = 1
    total = moments(x[:2], mask[:2]) + moments(x[2:], mask[2:])
    mean, variance = mean_and_variance(total)
    kept = x[mask.bool()].double()
    assert mean == pytest.approx(float(kept.mean()))
    assert variance == pytest.approx(float(kept.var(unbiased=False)))
    torch.testing.assert_close(whiten(x[:2], mask[:2], total), whiten(x, mask)[:2])


def test_whitening_nothing_and_equal_numbers_is_zero():
    x = torch.full((2, 3), 4.0)
    assert whiten(x, torch.zeros(2, 3)).abs().sum() == 0
    assert whiten(x, torch.ones(2, 3)).abs().sum() == 0
    assert mean_and_variance(moments(x, torch.zeros(2, 3))) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("value", "loss", "slope"),
    [
        (1.1, 0.405, -0.9),  # inside the range: the plain error
        (1.5, 0.32, 0.0),  # moved towards the target by more than the range: no gradient
        (0.5, 1.125, -1.5),  # moved away from it: the plain error pulls it back
        (3.0, 0.5, 1.0),  # far past the target: the plain error is the larger one again
    ],
)
def test_value_clipping_by_hand(value, loss, slope):
    """Old value 1.0, target 2.0, range 0.2."""
    values = torch.tensor([value], requires_grad=True)
    got = value_loss(values, torch.tensor([2.0]), torch.tensor([1.0]), 0.2)
    got.sum().backward()
    assert got.item() == pytest.approx(loss) and values.grad.item() == pytest.approx(slope)


def test_without_a_range_the_error_is_plain():
    values = torch.tensor([1.5])
    assert float(value_loss(values, torch.tensor([2.0]), torch.tensor([1.0]), None)) == 0.125


def test_the_kl_coefficient_follows_its_target_by_hand():
    kl = KLController(0.2, target=4.0, gain=0.1)
    kl.update(4.4)  # 10 % too much: 0.2 * (1 + 0.1 * 0.1)
    assert kl.coef == pytest.approx(0.202)
    kl.update(400.0)  # the error counts as 20 %
    assert kl.coef == pytest.approx(0.202 * 1.02)
    kl.update(-1.0)  # an estimate can be negative
    assert kl.coef == pytest.approx(0.202 * 1.02 * 0.98)
    kl.update(4.0)
    assert kl.coef == pytest.approx(0.202 * 1.02 * 0.98)


def test_a_fixed_kl_coefficient_stays():
    kl = KLController(0.2)
    kl.update(50.0)
    assert kl.coef == 0.2


@pytest.mark.parametrize("divergence", [float("nan"), float("inf")])
def test_a_divergence_that_is_no_number_is_an_error(divergence):
    with pytest.raises(ValueError, match="KL divergence from the reference is"):
        KLController(0.2, target=4.0).update(divergence)

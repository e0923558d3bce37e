"""From rewards and values on tokens to advantages and returns, and the coefficient of the KL term.

A session is one trajectory of a Markov decision process whose actions are the *model's* tokens.
What the environment writes (the prompt, the feedback) belongs to the transition: the state that
follows the last token of an attempt is the one in which the first token of the next attempt is
chosen, with the feedback read. So sums over time skip every token that the mask leaves out, and
discounts count model tokens alone. The last model token of a session ends it, whether the task was
solved or the attempts were used up: nothing follows that could still earn a reward.

Tokens of an attempt whose checker failed are left out like feedback, as `corgi_gym.agents.credit`
leaves out the attempt: they earn nothing, are no target for the critic, and what comes after them
counts for the attempts before them.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

# Added to a variance before its root: advantages are of order 1 before they are scaled.
_VARIANCE_FLOOR = 1e-8
# Largest relative error that moves the KL coefficient in one round (Ziegler et al., section 2.2).
_KL_ERROR_LIMIT = 0.2


def gae(
    rewards: Tensor, values: Tensor, mask: Tensor, *, gamma: float = 1.0, lam: float = 0.95
) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimation over the tokens that ``mask`` keeps.

    With s(t) the state in which token t is chosen and t + 1 the next kept token of the session::

        delta_t = r_t + gamma * V(s_{t+1}) - V(s_t)          (V = 0 after the last kept token)
        A_t     = delta_t + gamma * lam * A_{t+1}
        return  = A_t + V(s_t)                               (the critic's target)

    Source: Schulman et al. 2016, arXiv 1506.02438, equation 16; in this form Schulman et al. 2017
    (PPO), arXiv 1707.06347, equations 11 and 12.

    Args:
        rewards: Reward that follows each token, shape (B, T).
        values: V(s_t), shape (B, T).
        mask: 1 on the tokens of the trajectory, shape (B, T).
        gamma: Discount per kept token, in (0, 1].
        lam: Lambda, in [0, 1]: 0 trusts the critic, 1 trusts the rewards.

    Returns:
        Advantages and returns, shape (B, T), 0 outside the mask.

    Example:
        >>> ones = torch.ones(1, 3)
        >>> rewards, mask = torch.tensor([[0.0, 9.0, 1.0]]), torch.tensor([[1, 0, 1]])
        >>> gae(rewards, 0.5 * ones, mask, gamma=1.0, lam=1.0)
        (tensor([[0.5000, 0.0000, 0.5000]]), tensor([[1., 0., 1.]]))
    """
    kept = mask.bool()
    advantages = torch.zeros_like(values)
    next_value = values.new_zeros(len(values))
    next_advantage = values.new_zeros(len(values))
    for t in reversed(range(values.shape[1])):
        delta = rewards[:, t] + gamma * next_value - values[:, t]
        advantage = delta + gamma * lam * next_advantage
        next_advantage = torch.where(kept[:, t], advantage, next_advantage)
        next_value = torch.where(kept[:, t], values[:, t], next_value)
        advantages[:, t] = torch.where(kept[:, t], advantage, 0.0)
    return advantages, (advantages + values) * kept


def moments(x: Tensor, mask: Tensor) -> Tensor:
    """Count, sum and sum of squares of the kept entries (float64); these add up over processes.

    Example:
        >>> moments(torch.tensor([1.0, 2.0, 9.0]), torch.tensor([1, 1, 0])).tolist()
        [2.0, 3.0, 5.0]
    """
    kept = x[mask.bool()].double()
    return torch.stack([kept.new_tensor(len(kept)), kept.sum(), kept.square().sum()])


def mean_and_variance(total: Tensor) -> tuple[float, float]:
    """Mean and (biased) variance from `moments`; zeros if nothing was kept."""
    count, first, second = total.tolist()
    if not count:
        return 0.0, 0.0
    mean = first / count
    return mean, max(0.0, second / count - mean**2)


def whiten(x: Tensor, mask: Tensor, total: Tensor | None = None) -> Tensor:
    """Shift and scale the kept entries to mean 0 and variance 1; 0 elsewhere.

    Args:
        x: Any shape.
        mask: Same shape.
        total: `moments` over all processes; of ``x`` alone if left out.

    Example:
        >>> whiten(torch.tensor([1.0, 3.0, 9.0]), torch.tensor([1, 1, 0])).tolist()
        [-1.0, 1.0, 0.0]
    """
    mean, variance = mean_and_variance(moments(x, mask) if total is None else total)
    return (x - mean) / math.sqrt(variance + _VARIANCE_FLOOR) * mask.bool()


def value_loss(values: Tensor, returns: Tensor, old: Tensor, cliprange: float | None) -> Tensor:
    """Squared error of the critic per token, with its change since the rollout clipped.

    It is::

        1/2 * max((V - R)^2, (clip(V, V_old - c, V_old + c) - R)^2)

    The larger of the two, as in the policy's loss: a change beyond the range earns no gradient
    where it lowers the error, and keeps it where it raises the error. The clip is part of the PPO
    implementation of OpenAI baselines and not of the paper; Engstrom et al. 2020, arXiv 2005.12729,
    section 3, study it.

    Args:
        values: V(s_t), any shape.
        returns: Targets, same shape.
        old: V(s_t) when the sessions were sampled, same shape.
        cliprange: Largest change c that counts; ``None`` for the plain squared error.

    Returns:
        The same shape.
    """
    error = (values - returns).square()
    if cliprange is not None:
        clipped = torch.clamp(values, old - cliprange, old + cliprange)
        error = torch.maximum(error, (clipped - returns).square())
    return error / 2


class KLController:
    """The coefficient of the KL term: fixed, or steered to a target divergence.

    Adaptive: after each round with a measured divergence KL, in nats per session::

        e    = clip(KL / target - 1, -0.2, 0.2)
        coef = coef * (1 + gain * e)

    Source: Ziegler et al. 2019, arXiv 1909.08593, section 2.2, where the gain is 0.1.

    Args:
        coef: First value, at least 0.
        target: Divergence to hold, in nats per session; ``None`` keeps the coefficient.
        gain: How strongly an error moves the coefficient.

    Example:
        >>> kl = KLController(0.1, target=6.0)
        >>> kl.update(60.0)
        >>> round(kl.coef, 6)
        0.102
    """

    def __init__(self, coef: float, target: float | None = None, gain: float = 0.1) -> None:
        self.coef, self.target, self.gain = coef, target, gain

    def update(self, divergence: float) -> None:
        """Take the divergence of a round into account.

        Raises:
            ValueError: If it is not a finite number.
        """
        if not math.isfinite(divergence):
            raise ValueError(
                f"the KL divergence from the reference is {divergence}: training has diverged "
                "(try a lower learning rate)"
            )
        if self.target is not None:
            error = min(_KL_ERROR_LIMIT, max(-_KL_ERROR_LIMIT, divergence / self.target - 1))
            self.coef *= 1 + self.gain * error

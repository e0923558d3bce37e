"""A step on numbers that are not finite is not taken, and the sessions they come from are named.

Mixed into TRL's GRPO trainer by `corgi_gym.agents.grpo`. The loss is looked at in every
micro-batch, the gradients before the optimizer looks at them; rewards and log-probs of the engine
are looked at when a round has been played (`corgi_gym.agents.health.check_episodes`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import TrainerCallback

from corgi_gym.agents.batches import row_count, take_rows
from corgi_gym.agents.episode import Episode
from corgi_gym.agents.health import UnhealthyError, session_name

# Sessions that an error names.
_NAMED = 4


class FiniteTrainer:
    """Mixed into a `trl.GRPOTrainer` whose batches say in ``session`` which episode a row is."""

    # what the trainer brings
    state: Any
    accelerator: Any
    model: Any
    _episodes: list[Episode]
    _compute_loss: Callable[..., Tensor]
    # Micro-batches of the optimizer step under way.
    _step_inputs: list[dict[str, Any]]

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Tensor:
        """TRL's loss; stops where it is not finite.

        Raises:
            UnhealthyError: Naming the sessions whose loss is not a number.
        """
        loss: Tensor = super().compute_loss(model, inputs, *args, **kwargs)
        if self.model.training:
            self._step_inputs.append(inputs)
            if not loss.isfinite():
                self._stop("loss", lambda row: not self._compute_loss(model, row).isfinite())
        return loss

    def check_gradients(self) -> None:
        """Check the gradients of the step that is about to be taken.

        Raises:
            UnhealthyError: If one is not finite, naming the sessions that it comes from.
        """
        # none: DeepSpeed has taken the step already, and looks after overflows itself
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        if gradients and not all(norm.isfinite() for norm in torch._foreach_norm(gradients)):
            self._stop("gradient", self._has_broken_gradient)

    def _has_broken_gradient(self, row: dict[str, Any]) -> bool:
        self.model.zero_grad(set_to_none=True)
        self._compute_loss(self.model, row).backward()
        gradients = (p.grad for p in self.model.parameters() if p.grad is not None)
        return not all(bool(g.isfinite().all()) for g in gradients)

    def _stop(self, what: str, broken: Callable[[dict[str, Any]], bool]) -> None:
        """Raise, naming the sessions of this step that are broken when they are looked at alone."""
        rows = [
            take_rows(batch, [i]) for batch in self._step_inputs for i in range(row_count(batch))
        ]
        if self.accelerator.num_processes == 1:  # a pass of one process alone would hang the others
            rows = [row for row in rows if broken(row)] or rows
        self.model.zero_grad(set_to_none=True)
        names = [session_name(self._episodes[int(row["session"])]) for row in rows]
        raise UnhealthyError(
            f"the {what} of step {self.state.global_step} is not finite, because of "
            f"{_list_of(names)}; the weights are those of the step before. Going on with this run "
            "would meet it again: begin another one with a lower learning rate (its model may be "
            "this run's newest checkpoint)"
        )


class GradientCheck(TrainerCallback):
    """Looks at the gradients of every step before the optimizer does."""

    def __init__(self, trainer: FiniteTrainer) -> None:
        self.trainer = trainer

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Called by transformers after clipping."""
        self.trainer.check_gradients()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Called by transformers after each optimizer step."""
        self.trainer._step_inputs.clear()


def _list_of(names: Sequence[str]) -> str:
    """A few names, and how many more there are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more

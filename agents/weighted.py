"""Token-weighted cross-entropy on replies, as a TRL trainer: sum m w CE / sum m.

The sum runs over the tokens of a round; w is a token's weight and m says whether it has one (w is
not 0). This is the loss of TriPosT's third stage (arXiv 2310.13522) and, with weights of 1 and 0,
plain maximum likelihood on chosen replies (`rft`, `sft`).

Cross-entropy is the policy-gradient loss with the advantage w and a ratio of 1: TRL's CISPO loss,
-w log pi, without old log-probs. So rows, micro-batches, checkpoints and reports are those of every
other method. A subclass of `ImitationTrainer` weighs the attempts of a round's sessions; one of
`ExampleTrainer` makes examples of its own from them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from corgi_gym.agents.batches import prompt_length
from corgi_gym.agents.episode import Episode
from corgi_gym.agents.grpo import GuidedGRPOConfig, GuidedGRPOTrainer
from corgi_gym.agents.replay import Example, encode
from corgi_gym.agents.rollout import Session


@dataclass
class ImitationConfig(GuidedGRPOConfig):
    """`GuidedGRPOConfig` whose loss is cross-entropy.

    Raises:
        ValueError: For what would make it another loss, or has no part in one that compares no
            sessions; and as `GuidedGRPOConfig`.
    """

    loss_type: str = field(default="cispo")
    epsilon_high: float | None = field(default=1.0)

    def __post_init__(self) -> None:
        fields = {each.name: each.default for each in dataclasses.fields(ImitationConfig)}
        for name in ("loss_type", "epsilon_high", "credit", "scale_rewards", "engine_logps"):
            if (value := getattr(self, name)) != fields[name]:
                raise ValueError(
                    f"{name} is {fields[name]!r} where the loss is cross-entropy, got {value!r}: "
                    "leave it out"
                )
        super().__post_init__()


class ImitationTrainer(GuidedGRPOTrainer):
    """Cross-entropy on chosen attempts of a round's sessions.

    The loss is a mean over the chosen tokens of a round, each optimizer step taking its share.
    Subclasses choose: `_attempt_values` gives an attempt its weight, usually 1 or 0.
    """

    _compares = False
    needs_logps = False

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        batch = super()._generate_and_score_completions(inputs)
        batch.pop("old_per_token_logps", None)  # the ratio of a likelihood to itself is 1
        chosen = self.accelerator.gather((batch["advantages"] != 0).sum()).sum()
        # a mean over the chosen tokens, where the loss divides by all of them as its other terms do
        batch["advantages"] *= batch["num_items_in_batch"] / chosen.clamp(min=1)
        self._metrics["train"]["imitation/tokens"].append(float(chosen))
        return batch


class ExampleRows:
    """Mixed into a `GuidedGRPOTrainer` that learns from examples in some or all of its rounds."""

    # what the trainer brings
    rollout: Any
    accelerator: Any
    _metrics: Any

    def _rows_of(
        self, examples: Sequence[Example], count: int, spare: Episode
    ) -> tuple[list[Episode], list[list[float]]]:
        """This process's share of the examples as ``count`` rows, with the weight of each token.

        Args:
            examples: Those of the whole round; what is longer than a conversation may be is left
                out, and so is what does not fit into ``count`` rows.
            count: Rows of this process.
            spare: Fills rows without an example, if there is none at all; without any weight.
        """
        encoded = [encode(example, self.rollout.codec) for example in examples]
        rows = [row for row in encoded if len(row[1]) <= self.rollout.max_length]
        metrics = self._metrics["train"]
        metrics["examples/count"].append(float(len(rows)))
        metrics["examples/too_long"].append(float(len(encoded) - len(rows)))
        first = self.accelerator.process_index * count
        rows = rows[first : first + count]
        filler = rows[0][0] if rows else spare
        rows += [(filler, [0.0] * len(filler.token_ids))] * (count - len(rows))
        return [episode for episode, _ in rows], [weights for _, weights in rows]


class ExampleTrainer(ExampleRows, ImitationTrainer):
    """Cross-entropy on examples (`corgi_gym.agents.replay`) that a subclass makes in each round.

    A round has as many rows as sessions; examples beyond that are left out, and rows without an
    example carry no loss. An example that is longer than a conversation may be is left out too.
    """

    def _examples(self, sessions: list[Session]) -> tuple[list[Example], list[Episode]]:
        """The round's examples, and the sessions of this process that were played, for its report.

        Args:
            sessions: This process's sessions.

        Returns:
            Examples of the whole round, the same list in every process (gather what a process made
            alone), and at least one episode.
        """
        raise NotImplementedError

    def _sessions(self, indices: Sequence[int]) -> list[Session]:
        return super()._sessions(self._one_task_each(indices))

    def _play(self, sessions: list[Session]) -> tuple[list[Episode], list[Episode]]:
        examples, played = self._examples(sessions)
        episodes, self._weights = self._rows_of(examples, len(sessions), played[0])
        return episodes, played

    def _token_advantages(self, width: int) -> Tensor:
        """The weight of each token after a row's prompt, shape (B, ``width``)."""
        return weight_rows(self._episodes, self._weights, width)


class AfterWarmUp:
    """Mixed into a trainer whose method has rounds of another kind before it.

    Attributes:
        rounds_before: The options that count these rounds.
    """

    rounds_before: tuple[str, ...] = ("warmup_rounds",)

    # what the trainer brings
    args: Any
    state: Any
    steps_per_round: int
    round_number: int
    ended_early: str

    def train(self, *args: Any, **kwargs: Any) -> Any:
        """Train; where a limit ended it before the method's own rounds, `ended_early` says so."""
        result = super().train(*args, **kwargs)  # type: ignore[misc]
        before = {name: getattr(self.args, name) for name in self.rounds_before}
        planned = self.args.max_steps // self.steps_per_round
        if self.round_number <= sum(before.values()) < planned and not self.ended_early:
            told = " and ".join(f"train.options.{name} = {n}" for name, n in before.items())
            self.ended_early = (
                f"training ended after round {self.round_number} of {planned}, before the method "
                f"itself began: {told} come first. Raise train.max_seconds or train.max_tokens, "
                "which end it, or take fewer of these rounds"
            )
        return result


def weight_rows(
    episodes: Sequence[Episode], weights: Sequence[Sequence[float]], width: int
) -> Tensor:
    """Weights per token of whole conversations as rows of what follows the prompts.

    Returns:
        Shape (B, ``width``), 0 where a row is shorter.
    """
    result = torch.zeros(len(episodes), width)
    for row, (episode, values) in enumerate(zip(episodes, weights, strict=True)):
        own = values[prompt_length(episode) : episode.turn_ends[-1]]
        result[row, : len(own)] = torch.tensor(own)
    return result

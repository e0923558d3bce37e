"""A critic: what the state before a model token is worth, in expected rewards to come.

Three kinds:

- ``detached``: a value head on the policy's last hidden state; the trunk learns from the policy's
  loss alone. One forward pass serves both.
- ``shared``: the same, and the value loss trains the trunk as well (CORGI, and TRL's old
  `AutoModelForCausalLMWithValueHead`).
- ``separate``: a model of its own, with its own forward and backward pass.

The critic is a submodule of the policy, so that DDP, optimizers and gradient clipping see it. It is
no part of the policy's checkpoint: `save_pretrained` leaves it out, and what it writes is a causal
language model like any other. `save_critic` and `load_critic` keep the critic beside it.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from corgi_gym.agents.models import load_model

CriticKind = Literal["detached", "shared", "separate"]
CRITICS: tuple[CriticKind, ...] = ("detached", "shared", "separate")

# Its file in a checkpoint, and its name in the policy.
CRITIC_FILE = "critic.safetensors"
_NAME = "critic"


class Critic(nn.Module):
    """Hidden states to values.

    A normalisation and one linear unit, in float32: the hidden states of language models have a few
    entries that are far larger than the others, and values need more digits than bfloat16 has. The
    unit starts at zero, so the first advantages are the plain rewards to come.

    Args:
        width: Size of the hidden states.
        trunk: The critic's own model, without a language head; ``None`` for a head on the policy.
        detached: Whether the value loss stops at the head. May be changed at any time.
    """

    def __init__(self, width: int, trunk: nn.Module | None = None, *, detached: bool) -> None:
        super().__init__()
        self.trunk = trunk
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 1)
        self.detached = detached
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """Values of shape (N,) of hidden states of shape (N, width)."""
        if self.detached:
            hidden = hidden.detach()
        with torch.autocast(hidden.device.type, enabled=False):
            return self.head(self.norm(hidden.float()))[:, 0]


def add_critic(model: Any, kind: CriticKind = "detached", name: str | None = None) -> Critic:
    """Teach ``model`` one more call: ``model(input_ids, score_mask=mask, values=True)``.

    It returns ``(logps, entropies, values)``: what the call of
    `corgi_gym.agents.logps.add_chosen_head` returns (added before this one), and the value of the
    state *before* each token of the mask, in which that token is chosen: float32 of shape (B, L), 0
    elsewhere.

    Args:
        model: A causal language model (without a PEFT wrapper).
        kind: One of `CRITICS`.
        name: Model of a separate critic; ``None`` starts it as a copy of the policy's checkpoint.

    Raises:
        ValueError: If a separate critic cannot be loaded, or has a smaller vocabulary.
    """
    trunk = _own_trunk(model, name) if kind == "separate" else None
    width = (trunk or model).config.get_text_config().hidden_size
    critic = Critic(width, trunk, detached=kind == "detached").to(model.device)
    model.add_module(_NAME, critic)
    # read by save_pretrained, and by transformers when a checkpoint without these keys is loaded
    model._keys_to_ignore_on_save = {
        *(model._keys_to_ignore_on_save or ()),
        *(f"{_NAME}.{key}" for key in critic.state_dict()),
    }
    original = model.forward

    def forward(
        self: Any,
        input_ids: Tensor | None = None,
        score_mask: Tensor | None = None,
        values: bool = False,
        **kwargs: Any,
    ) -> Any:
        if not values:
            return original(input_ids=input_ids, score_mask=score_mask, **kwargs)
        with _last_hidden_states(self.base_model) as seen:
            logps, entropy = original(input_ids=input_ids, score_mask=score_mask)
        if critic.trunk is not None:
            hidden = critic.trunk(input_ids=input_ids, use_cache=False).last_hidden_state
        else:
            hidden = seen[-1]
        wanted = score_mask[:, 1:].bool()
        place = nn.functional.pad(wanted, (1, 0))
        found = critic(hidden[:, :-1][wanted])
        return logps, entropy, torch.zeros_like(logps).masked_scatter(place, found)

    model.forward = types.MethodType(forward, model)
    return critic


def _own_trunk(model: Any, name: str | None) -> nn.Module:
    trunk = load_model(name or model.config._name_or_path).base_model
    needed, has = (m.config.get_text_config().vocab_size for m in (model, trunk))
    if has < needed:
        raise ValueError(
            f"critic_model {name!r} has {has} tokens and the policy {needed}: a critic reads the "
            "policy's token ids, so it must share its tokenizer"
        )
    return trunk


@contextmanager
def _last_hidden_states(trunk: nn.Module) -> Iterator[list[Tensor]]:
    """Collects the last hidden states of the passes of ``trunk``."""
    seen: list[Tensor] = []
    handle = trunk.register_forward_hook(
        lambda module, args, output: seen.append(output.last_hidden_state)
    )
    try:
        yield seen
    finally:
        handle.remove()


@contextmanager
def without_critic(model: Any) -> Iterator[None]:
    """While this is open, ``model`` has the policy's parameters alone."""
    critic = model._modules.pop(_NAME)
    try:
        yield
    finally:
        model.add_module(_NAME, critic)


def save_critic(critic: Critic, folder: str | Path) -> None:
    """Write the critic into a checkpoint's folder."""
    state = {key: tensor.contiguous() for key, tensor in critic.state_dict().items()}
    save_file(state, Path(folder) / CRITIC_FILE)


def load_critic(critic: Critic, folder: str | Path) -> None:
    """Read the critic of a checkpoint.

    Raises:
        ValueError: If the folder has none.
    """
    path = Path(folder) / CRITIC_FILE
    if not path.is_file():
        raise ValueError(
            f"{folder} has no {CRITIC_FILE}: it is no checkpoint of GuidedPPOTrainer, whose critic "
            "is needed to go on"
        )
    critic.load_state_dict(load_file(path))

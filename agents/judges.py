"""Functions from messages to text for `corgi_gym.rewards.llm_judge.Judge`.

judge = Judge(EngineComplete(engine, codec, model_id="smollm2-135m"), rubric)
judge = Judge(openai_complete("http://localhost:8000/v1", "my-model"), rubric)
"""

from __future__ import annotations

import itertools
import threading
import time
from typing import TYPE_CHECKING, Any

from corgi_gym.agents.engines.base import Engine, EngineError, GenerationRequest, Sampling
from corgi_gym.agents.engines.endpoint import CHAT_PATH, Endpoint, chat_reply

if TYPE_CHECKING:
    from corgi_gym.agents.rollout import Codec

# Longest answer in tokens: a dozen criteria with a sentence each.
MAX_ANSWER_TOKENS = 512
# Seconds for one answer of an engine, and for one request to an endpoint.
ENGINE_DEADLINE, ENDPOINT_DEADLINE = 300.0, 60.0
_PREFIX = "judge-"
_REQUESTS = itertools.count()


class EngineComplete:
    """Completes with an engine, greedily and one at a time (threads wait for each other).

    System and user messages become one user message, since a codec has a fixed system prompt. The
    engine belongs to the judge: one that also runs rollouts would hand their replies to the judge.

    Args:
        engine: Any engine.
        codec: Its chat format (`corgi_gym.agents.codec.ChatCodec`).
        model_id: Names the model; part of cache keys.
        max_tokens: Longest answer.
        deadline: Seconds for one answer.

    Raises:
        EngineError: When called, if the engine gives no answer in time or replies of others.
    """

    def __init__(
        self,
        engine: Engine,
        codec: Codec,
        *,
        model_id: str,
        max_tokens: int = MAX_ANSWER_TOKENS,
        deadline: float = ENGINE_DEADLINE,
    ) -> None:
        self.engine = engine
        self.codec = codec
        self.model_id = model_id
        self.deadline = deadline
        self.sampling = Sampling(
            temperature=0.0, max_tokens=max_tokens, stop_ids=tuple(codec.stop_ids)
        )
        self._turn = threading.Lock()

    def __call__(self, messages: list[dict[str, str]]) -> str:
        """The engine's reply to the messages."""
        with self._turn:
            return self._complete(messages)

    def _complete(self, messages: list[dict[str, str]]) -> str:
        text = "\n\n".join(message["content"] for message in messages)
        name = f"{_PREFIX}{next(_REQUESTS)}"
        self.engine.submit(GenerationRequest(name, self.codec.start(text), self.sampling, seed=0))
        end, answered = time.monotonic() + self.deadline, False
        try:
            while time.monotonic() < end:
                for completion in self.engine.poll():
                    if completion.id.startswith(_PREFIX) and completion.id != name:
                        continue  # the late answer to a question that was given up
                    if completion.id != name:
                        raise EngineError(
                            f"the judge's engine returned the reply {completion.id!r} to somebody "
                            "else; give the judge an engine of its own"
                        )
                    answered = True
                    return self.codec.text(completion.token_ids)
            raise EngineError(f"the judge's engine gave no answer in {self.deadline:g} s")
        finally:
            if not answered:  # or it would go on, and take time from the next question
                self.engine.cancel([name])


class OpenAIComplete:
    """Completes with an OpenAI-compatible endpoint; see `openai_complete`. Can be pickled."""

    def __init__(
        self, base_url: str, model: str, api_key_env: str, max_tokens: int, deadline: float
    ) -> None:
        self.base_url, self.model, self.model_id = base_url, model, f"{model} at {base_url}"
        self.api_key_env, self.max_tokens, self.deadline = api_key_env, max_tokens, deadline
        # one attempt: the judge decides what to repeat
        self._endpoint = Endpoint(base_url, api_key_env=api_key_env, deadline=deadline, retries=0)

    def __reduce__(self) -> tuple[Any, ...]:
        """Without connections, and without the key: a copy reads it from its environment."""
        fields = (self.base_url, self.model, self.api_key_env, self.max_tokens, self.deadline)
        return OpenAIComplete, fields

    def __call__(self, messages: list[dict[str, str]]) -> str:
        """The endpoint's answer."""
        body = {
            "model": self.model,
            "messages": messages,
            "temperature": 0.0,
            "seed": 0,
            "max_tokens": self.max_tokens,
        }
        answer = self._endpoint.call("POST", CHAT_PATH, body)
        return chat_reply(self.base_url, answer)[0]


def openai_complete(
    base_url: str,
    model: str,
    *,
    api_key_env: str = "OPENAI_API_KEY",
    max_tokens: int = MAX_ANSWER_TOKENS,
    deadline: float = ENDPOINT_DEADLINE,
) -> OpenAIComplete:
    """A function from messages to the answer of an OpenAI-compatible endpoint.

    Args:
        base_url: For example ``"http://localhost:8000/v1"``.
        model: The model's name there.
        api_key_env: Name of the environment variable with the key, read at the first call; keys
            are taken from nowhere else, and may be absent for a local server.
        max_tokens: Longest answer.
        deadline: Seconds for one request; it is not repeated.

    Raises:
        ValueError: For an address that is none.
        ImportError: Without aiohttp; names what to install.
        EngineError: When called: no connection, no answer in time, an error of the server.
    """
    return OpenAIComplete(base_url, model, api_key_env, max_tokens, deadline)

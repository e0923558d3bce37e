"""Evaluation against any endpoint that speaks OpenAI's chat completions.

Such an endpoint takes messages and returns text: there are no token ids, and no log-probs of the
distribution that was sampled from. So it can be evaluated and not trained.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from corgi_gym.agents.engines.base import Completion, EngineError, GenerationRequest
from corgi_gym.agents.engines.endpoint import CHAT_PATH, Endpoint, chat_reply
from corgi_gym.agents.engines.remote import RemoteEngine
from corgi_gym.agents.engines.scripted import CharCodec

if TYPE_CHECKING:
    from torch import Tensor

API_KEY_ENV = "OPENAI_API_KEY"
# Refused as a training engine with these words.
EVALUATION_ONLY = (
    "the 'openai' engine is for evaluation only: a chat endpoint returns neither token ids nor the "
    "log-probs of what it sampled, and takes no weights; train with vllm-server, vllm or "
    "transformers"
)


class TextCodec(CharCodec):
    """Messages as characters: one id per character, and a marker after each message.

    Attributes:
        ids_per_token: Characters per token of English text, about; a limit on the length of a
            conversation that is given in tokens is this many times longer in ids.
    """

    ids_per_token = 4


class OpenAIEngine(RemoteEngine):
    """Chat completions of an endpoint; use it with a `TextCodec`.

    A reply's ``token_ids`` are its characters, and its ``logprobs`` are 0.0 throughout: they are
    not known.

    Args:
        url: Base address, usually ending in ``/v1``.
        model: The model's name there.
        system: System prompt; None sends none.
        api_key_env: Name of the environment variable with the key; it may be unset for a server
            that wants none.
        extra: Further fields of every request; a value of None removes a field that is sent by
            default (``{"max_tokens": None, "max_completion_tokens": 512}``).
        **connection: ``connections``, ``deadline`` and ``retries`` of `Endpoint`.

    Raises:
        ValueError: For an address that is none.
        ImportError: Without aiohttp.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        system: str | None = None,
        api_key_env: str = API_KEY_ENV,
        extra: Mapping[str, Any] | None = None,
        **connection: Any,
    ) -> None:
        super().__init__(Endpoint(url, api_key_env=api_key_env, **connection))
        self.model, self.system, self.extra = model, system, dict(extra or {})

    async def _answer(self, request: GenerationRequest) -> Completion:
        sampling = request.sampling
        body = {
            "model": self.model,
            "messages": self._messages(request.prompt_ids),
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": request.seed % 2**31,
            **self.extra,
        }
        body = {name: value for name, value in body.items() if value is not None}
        answer, _ = await self.endpoint.request("POST", CHAT_PATH, body)
        text, reason = chat_reply(self.endpoint.url, answer, may_be_silent=True)
        ids = [ord(c) for c in text.strip()]
        cut = reason == "length"
        if not cut or not ids:
            ids.append(CharCodec.END)
        return Completion(request.id, ids, [0.0] * len(ids), "length" if cut else "stop")

    def _messages(self, ids: list[int]) -> list[dict[str, str]]:
        """The chat that a `TextCodec` wrote: user and assistant in turn, each with its marker."""
        messages = [] if self.system is None else [{"role": "system", "content": self.system}]
        text: list[str] = []
        role, other = "user", "assistant"
        for i in ids:
            if i != CharCodec.END:
                text.append(chr(i))
                continue
            # a lone surrogate is no Unicode, and servers refuse it
            content = "".join(text).encode("utf-8", "replace").decode("utf-8")
            messages.append({"role": role, "content": content})
            role, other, text = other, role, []
        return messages

    def load_weights(self, named_params: Iterable[tuple[str, Tensor]]) -> None:
        """Not possible.

        Raises:
            EngineError: Always.
        """
        raise EngineError(EVALUATION_ONLY)

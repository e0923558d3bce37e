"""Many single questions to an engine at once: to a judge of samples, to a teacher."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace

from corgi_gym.agents.engines.base import Engine, GenerationRequest, Sampling
from corgi_gym.agents.running import Codec
from corgi_gym.envs import stable_hash

# Questions under way at once.
CONCURRENCY = 128
# Numbers every call of the process, so that the ids of requests are never used twice.
_CALLS = itertools.count()


def ask(
    engine: Engine,
    codec: Codec,
    questions: Mapping[str, str],
    sampling: Sampling,
    *,
    seed: int = 0,
    max_length: int | None = None,
    concurrency: int = CONCURRENCY,
) -> Iterator[tuple[str, str | None]]:
    """Answers as they come, each with the key of its question.

    An answer's seed depends on its key alone, so it is the same whatever else is asked.

    Args:
        engine: Must be idle; it is left idle, also when the caller stops early.
        codec: Its chat format; each question is a first user message.
        questions: Texts by key.
        sampling: How to sample (``stop_ids`` are filled in from the codec).
        seed: Of all answers.
        max_length: Longest question and answer in the codec's ids. A longer one is not asked: its
            answer is None.
        concurrency: Questions under way at once.

    Raises:
        EngineError: If the engine fails.
    """
    sampling = replace(sampling, stop_ids=tuple(codec.stop_ids))
    call = next(_CALLS)
    waiting = iter(enumerate(questions.items()))
    running: dict[str, str] = {}
    try:
        more = True
        while more or running:
            while more and len(running) < concurrency:
                number, (key, text) = next(waiting, (-1, ("", "")))
                if number < 0:
                    more = False
                    break
                ids = codec.start(text)
                if max_length is not None and len(ids) + sampling.max_tokens > max_length:
                    yield key, None
                    continue
                name = f"ask-{call}-{number}"
                running[name] = key
                engine.submit(GenerationRequest(name, ids, sampling, stable_hash(seed, key)))
            for completion in engine.poll() if running else []:
                if completion.id in running:
                    yield running.pop(completion.id), codec.text(completion.token_ids)
    finally:
        if running:
            engine.cancel(running)

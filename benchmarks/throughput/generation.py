"""Tokens per second of multi-turn rollouts, against the engine alone and against lock step.

    python -m corgi_gym.benchmarks.throughput.generation

The same sessions (128, of which 64 at once; two attempts; no attempt succeeds; replies end with
the same probability after every token, 48 tokens on average and 192 at most) are generated in these
ways, in turn, and the first once more at the end, so that a machine whose speed drifts favours
none:

- ``rollout``: `corgi_gym.agents.rollout.Rollout`, which waits for nobody.
- ``lockstep``: 64 sessions write their first reply, then all are judged, then all write their
  second, then come the next 64: every turn waits for the longest reply.
- ``flat``: one request per session, without turns, that writes as many tokens as the session did;
  nothing but the first prompt is read. vLLM itself, greedy and without log-probs, and on a CPU with
  the kernels that it takes by itself (see `agents/engines/vllm_worker.py`).
- ``flat_fast`` (vLLM on a CPU): the same with the kernels that the rollout runs on.
- ``flat_read`` (with ``--requests``): as ``flat_fast``, with all that the session reads (the
  feedback of later turns too) in its prompt, so that as many tokens are read as are new to it.
- ``requests`` (with ``--requests``): every turn of ``rollout`` as a request of its own, all known
  and submitted at once.

Ratios are of tokens written per second within one repetition. ``rollout`` has more to do than
``flat``: it reads the feedback. Written to ``runs/throughput/generation-ENGINE.json``.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import torch

from corgi_gym.agents.build import make_engine
from corgi_gym.agents.codec import ChatCodec
from corgi_gym.agents.engines.base import Completion, Engine, GenerationRequest, Sampling
from corgi_gym.agents.engines.vllm_worker import use_compiled_kernels
from corgi_gym.agents.episode import Episode
from corgi_gym.agents.models import PACKAGED_MODEL, load_model, load_tokenizer
from corgi_gym.agents.rollout import Rollout, Session, timed, tokens_per_second
from corgi_gym.agents.running import RunningSession
from corgi_gym.benchmarks.throughput.record import machine, spread, write_record
from corgi_gym.envs import GuidedEnv, stable_hash
from corgi_gym.rewards import Problem, Verdict

CONCURRENCY, SESSIONS, ATTEMPTS = 64, 128, 2
MEAN, LONGEST = 48, 192
MAX_LENGTH = 1024
# Sessions of the first round, which is not counted.
WARM_UP = 4


def unsatisfied(reply: str, target: Any) -> Verdict:
    """A checker that always asks for more, in as many words as a real one."""
    text = f"You wrote {len(reply.split())} words. Write exactly 500 words, in one paragraph."
    return Verdict.wrong(0.5, Problem("word_count", text))


class Drawn:
    """An engine whose replies have lengths drawn from their seeds; counts how much was reused."""

    def __init__(self, engine: Engine, mean: float, longest: int) -> None:
        self.engine, self.mean, self.longest = engine, mean, longest
        self.read = self.cached = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def submit(self, request: GenerationRequest) -> None:
        """Submit with a length of its own and no end token."""
        uniform = (stable_hash("length", request.seed) + 0.5) / 2**64
        length = min(self.longest, max(1, round(-self.mean * math.log(uniform))))
        sampling = replace(request.sampling, max_tokens=length, stop_ids=())
        self.read += len(request.prompt_ids)
        self.engine.submit(replace(request, sampling=sampling))

    def poll(self) -> list[Completion]:
        """Replies that have ended."""
        completions = self.engine.poll()
        self.cached += sum(c.cached_tokens for c in completions)
        return completions


def lock_step(rollout: Rollout, sessions: list[Session]) -> None:
    """Sessions in turns: all are waited for before the next reply of any is asked for."""
    running = [RunningSession(rollout, f"lock-{i}", i, s, 0) for i, s in enumerate(sessions)]
    while running:
        by_name = {run.name: run for run in running}
        for run in running:
            rollout.engine.submit(run.request())
        replies = []
        while len(replies) < len(running):
            replies += [(by_name[c.id], by_name[c.id].receive(c)) for c in rollout.engine.poll()]
        running = [run for run, reply in replies if run.settle(reply, run.env.step(reply))]


def generate(engine: Any, requests: Iterable[tuple[list[int], int]]) -> None:
    """Prompts and lengths, all at once; in vLLM by its own loop, without seeds and log-probs."""
    prompts, lengths = zip(*requests, strict=True)
    if hasattr(engine, "_llm"):
        vllm = engine._vllm
        # greedy: on a CPU vLLM's own random sampling takes as long as the model
        params = [
            vllm.SamplingParams(temperature=0, max_tokens=n, ignore_eos=True, detokenize=False)
            for n in lengths
        ]
        engine._llm.generate(
            [vllm.TokensPrompt(prompt_token_ids=ids) for ids in prompts], params, use_tqdm=False
        )
        return
    for number, (ids, length) in enumerate(zip(prompts, lengths, strict=True)):
        engine.submit(GenerationRequest(f"flat-{number}", ids, Sampling(0.0, max_tokens=length), 0))
    pending = len(prompts)
    while pending:
        pending -= len(engine.poll())


def flat(episodes: list[Episode]) -> list[tuple[list[int], int]]:
    """One request per session: its first prompt, and all tokens that the model wrote in it."""
    return [(e.token_ids[: e.model_mask.index(1)], e.model_tokens) for e in episodes]


def flat_read(episodes: list[Episode]) -> list[tuple[list[int], int]]:
    """As `flat`, with every token that is not the model's in the prompt."""
    return [
        ([t for t, own in zip(e.token_ids, e.model_mask, strict=True) if not own], e.model_tokens)
        for e in episodes
    ]


def turns(episodes: list[Episode]) -> list[tuple[list[int], int]]:
    """One request per attempt: the conversation before it, and its length."""
    return [
        (e.token_ids[: end - attempt.tokens], attempt.tokens)
        for e in episodes
        for end, attempt in zip(e.turn_ends, e.attempts, strict=True)
    ]


def as_it_comes(engine: Any, function: Callable[[], Any]) -> None:
    """Call with vLLM's own choice of kernels."""
    if not hasattr(engine, "_llm") or torch.cuda.is_available():
        function()
        return
    engine._llm.collective_rpc(use_compiled_kernels, args=(False,))
    try:
        function()
    finally:
        engine._llm.collective_rpc(use_compiled_kernels, args=(True,))


def forget(engine: Any) -> None:
    """Drop what the engine remembers of prompts, so that every measurement begins alike."""
    if hasattr(engine, "_llm"):
        engine._llm.reset_prefix_cache()
    else:
        engine.sleep()


def repeat(
    rollout: Rollout, drawn: Drawn, sessions: list[Session], *, requests: bool
) -> dict[str, float]:
    """All ways once: tokens per second of each, their number, and the share of prompts reused."""
    engine = drawn.engine
    drawn.read = drawn.cached = 0
    forget(engine)
    episodes, seconds = timed(rollout, sessions)
    row = {
        "tokens": sum(e.model_tokens for e in episodes),
        "prefix_cache_hits": drawn.cached / drawn.read,
        "rollout": tokens_per_second(episodes, seconds),
    }
    size = rollout.concurrency
    waves = [sessions[i : i + size] for i in range(0, len(sessions), size)]
    others: dict[str, Callable[[], Any]] = {
        "flat": lambda: as_it_comes(engine, lambda: generate(engine, flat(episodes))),
        "lockstep": lambda: [lock_step(rollout, part) for part in waves],
    }
    if hasattr(engine, "_llm") and not torch.cuda.is_available():
        others["flat_fast"] = lambda: generate(engine, flat(episodes))
    if requests:
        others["flat_read"] = lambda: generate(engine, flat_read(episodes))
        others["requests"] = lambda: generate(engine, turns(episodes))
    for name, function in others.items():
        forget(engine)
        began = time.perf_counter()
        function()
        row[name] = row["tokens"] / (time.perf_counter() - began)
    # again at the end: of a machine that gets slower or faster, the others see the middle
    forget(engine)
    again, more = timed(rollout, sessions)
    row["rollout"] = tokens_per_second([*episodes, *again], seconds + more)
    return row


def measure(engine: Engine, codec: ChatCodec, options: argparse.Namespace) -> dict[str, Any]:
    """All repetitions, and the ratios over them."""
    sources = GuidedEnv("concepts", checker=unsatisfied).sources
    drawn = Drawn(engine, options.mean, options.longest)
    rollout = Rollout(
        lambda: GuidedEnv(sources, max_attempts=options.attempts),
        drawn,
        codec,
        Sampling(max_tokens=options.longest),
        max_length=MAX_LENGTH,
        concurrency=options.concurrency,
    )
    rows = []
    for number in range(-1, options.repetitions):
        warm_up = number < 0
        count = WARM_UP if warm_up else options.sessions
        sessions = [Session(i, stable_hash(number, i)) for i in range(count)]
        row = repeat(rollout, drawn, sessions, requests=options.requests)
        if not warm_up:
            rows.append(row)
            print("  ".join(f"{name} {value:,.2f}" for name, value in row.items()), flush=True)
    ratios = {
        f"rollout/{name}": spread([row["rollout"] / row[name] for row in rows])
        for name in ("flat", "flat_fast", "flat_read", "lockstep", "requests")
        if name in rows[0]
    }
    return {"repetitions": rows, "ratios": ratios}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--engine", default="vllm", choices=("vllm", "transformers"))
    parser.add_argument("--model", default=PACKAGED_MODEL)
    parser.add_argument("--dtype", default="bfloat16", help="of the transformers engine's model")
    parser.add_argument("--concurrency", type=int, default=CONCURRENCY)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--attempts", type=int, default=ATTEMPTS)
    parser.add_argument("--mean", type=float, default=MEAN, help="tokens of a reply")
    parser.add_argument("--longest", type=int, default=LONGEST)
    parser.add_argument("--requests", action="store_true", help="measure the last two ways too")
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    codec = ChatCodec(load_tokenizer(options.model))
    model = None
    if options.engine == "transformers":
        model = load_model(options.model, dtype=options.dtype).eval()
    engine = make_engine(
        options.engine, options.model, model, max_length=MAX_LENGTH, batch=options.concurrency
    )
    result = measure(engine, codec, options)
    for name, ratio in result["ratios"].items():
        print(f"{name}: {ratio['median']:.2f} ({ratio['min']:.2f} to {ratio['max']:.2f})")
    path = write_record(
        f"generation-{options.engine}", {"options": vars(options), **machine(), **result}
    )
    print(f"written to {path}")
    engine.close()


if __name__ == "__main__":
    main()

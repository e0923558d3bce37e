"""Memory of many scripted episodes at once, and over time.

    python -m corgi_gym.benchmarks.throughput.episodes
    python -m corgi_gym.benchmarks.throughput.episodes --minutes 60

The first runs 10,000 episodes of the environment's default tasks at the same time, four attempts
each, one token a character, and prints the resident memory on top of what the imports take. The
second runs rounds of 1,000 for that long and prints what each tenth of the time adds. A script
writes the replies, so this is the cost of environments, checkers and bookkeeping alone. Written to
``runs/throughput/episodes.json`` and ``soak.json``.
"""

from __future__ import annotations

import argparse
import gc
import time
from typing import Any

import psutil

from corgi_gym.agents.engines.base import Sampling
from corgi_gym.agents.engines.scripted import CharCodec, ScriptedEngine
from corgi_gym.agents.rollout import Rollout, Session, timed
from corgi_gym.benchmarks.throughput.record import machine, write_record
from corgi_gym.envs import GuidedEnv

EPISODES, SOAK_ROUND = 10_000, 1_000
# Longest conversation in characters; none of the light families comes near.
MAX_LENGTH = 20_000
_PARTS = 10
_MB = 1e6


def reply(conversation: str) -> str:
    """A sentence that differs with the conversation, so that few replies are repeats."""
    return f"The dog carries {len(conversation)} balls over the old bridge.\nAnswer: 12"


def resident() -> float:
    """Resident memory of this process in MB."""
    return psutil.Process().memory_info().rss / _MB


class Peak:
    """The engine, and the largest memory seen when it is asked for replies."""

    def __init__(self) -> None:
        self.engine, self.value = ScriptedEngine(reply), 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def poll(self) -> list[Any]:
        """Replies; every session is under way now."""
        self.value = max(self.value, resident())
        return self.engine.poll()


def make_rollout(tasks: str, concurrency: int) -> tuple[Rollout, Peak]:
    """A rollout whose environments share their task sources."""
    sources, peak = GuidedEnv(tasks).sources, Peak()
    rollout = Rollout(
        lambda: GuidedEnv(sources),
        peak,
        CharCodec(),
        Sampling(max_tokens=200),
        max_length=MAX_LENGTH,
        concurrency=concurrency,
    )
    return rollout, peak


def crowd(tasks: str, count: int) -> dict[str, float]:
    """All episodes at once: memory over that of the imports, and its share per episode."""
    before = resident()
    rollout, peak = make_rollout(tasks, count)
    episodes, seconds = timed(rollout, [Session(i, seed=i) for i in range(count)])
    most = max(peak.value, resident()) - before
    return {
        "episodes": len(episodes),
        "imports_mb": before,
        "more_mb": most,
        "kb_per_episode": most * 1e3 / count,
        "tokens_per_episode": sum(len(e.token_ids) for e in episodes) / count,
        "episodes_per_second": count / seconds,
    }


def soak(tasks: str, minutes: float) -> dict[str, Any]:
    """Rounds of new tasks for that long: memory after each tenth of the time."""
    rollout, _ = make_rollout(tasks, SOAK_ROUND)
    start, done, rows = time.monotonic(), 0, []
    while len(rows) < _PARTS:
        rollout.run([Session(done + i, seed=done + i) for i in range(SOAK_ROUND)])
        done += SOAK_ROUND
        passed = (time.monotonic() - start) / 60
        if passed >= minutes * (len(rows) + 1) / _PARTS:
            gc.collect()
            rows.append({"minutes": passed, "episodes": done, "mb": resident()})
            print(f"{passed:6.1f} min  {done:9,} episodes  {resident():7.1f} MB", flush=True)
    # the first half fills caches of bounded size
    half = rows[_PARTS // 2 - 1]
    grown, hours = rows[-1]["mb"] - half["mb"], (rows[-1]["minutes"] - half["minutes"]) / 60
    return {"rows": rows, "second_half_mb": grown, "second_half_mb_per_hour": grown / hours}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tasks", default="light", help="as for GuidedEnv (default: light)")
    parser.add_argument("--episodes", type=int, default=EPISODES)
    parser.add_argument("--minutes", type=float, default=0.0, help="soak instead, for so long")
    options = parser.parse_args()
    if options.minutes > 0:
        name, result = "soak", soak(options.tasks, options.minutes)
        print(f"second half: {result['second_half_mb']:+.1f} MB")
    else:
        name, result = "episodes", crowd(options.tasks, options.episodes)
        print("  ".join(f"{key} {value:,.1f}" for key, value in result.items()))
    print(f"written to {write_record(name, {'options': vars(options), **machine(), **result})}")


if __name__ == "__main__":
    main()

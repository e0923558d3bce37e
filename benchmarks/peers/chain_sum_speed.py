"""reset + step per second on reasoning-gym's chain_sum: ours and GEM's wrapper, side by side.

GEM (the package ``gem-llm``) pins other versions, so it runs in its own environment:

    make bench-peers        # makes the environments; or, with .venv-gem from peers/gem.txt:
    python benchmarks/peers/chain_sum_speed.py --peer-python .venv-gem/bin/python

Both environments come from their project's documented ``make``. The two take turns, round by round,
so that whatever else the machine does meets both. Seconds are CPU time. An episode is a reset and
one wrong answer; ours with ``max_attempts=1`` then ends, as GEM's single-turn environment does.
Both are timed twice: GEM bare and with its wrapper that keeps the chat (ours always does), ours
with a new task for each episode and in groups of 8 episodes that start from one task (as
group-relative training does).
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from _record import write_record

GROUP = 8
_PEER = """
import sys, time, gem
from gem.wrappers.observation_wrapper import ObservationWrapper
bare = gem.make("rg:chain_sum")
chat = ObservationWrapper(
    gem.make("rg:chain_sum"), include_action=True, include_chat_template=False
)
for line in sys.stdin:
    kind, episodes = line.split()
    env = bare if kind == "bare" else chat
    start = time.process_time()
    for _ in range(int(episodes)):
        env.reset()
        env.step("\\\\boxed{12}")
    print(time.process_time() - start, flush=True)
"""
GEM, GEM_CHAT = "GEM", "GEM, chat kept"
OURS, OURS_GROUPED = "ours", f"ours, groups of {GROUP}"


def their_seconds(peer: subprocess.Popen[str], kind: str, episodes: int) -> float:
    """CPU seconds of so many of GEM's episodes, ``"bare"`` or with the ``"chat"``."""
    questions, answers = _pipes(peer)
    print(kind, episodes, file=questions, flush=True)
    return float(answers.readline())


def _pipes(peer: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    assert peer.stdin and peer.stdout
    return peer.stdin, peer.stdout


def our_seconds(env: object, episodes: int, first: int, group: int) -> float:
    """CPU seconds of so many episodes, ``group`` of them from each task."""
    start = time.process_time()
    for number in range(episodes):
        env.reset(options={"index": first + number // group})  # type: ignore[attr-defined]
        env.step("Answer: 12")  # type: ignore[attr-defined]
    return time.process_time() - start


def main() -> None:
    """Run the rounds, print episodes per second and the ratios, and write them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peer-python", required=True, help="Python of the environment with GEM")
    parser.add_argument("--episodes", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, help="write the results here (JSON)")
    arguments = parser.parse_args()

    import gymnasium

    import corgi_gym  # noqa: F401  registers the ids

    env = gymnasium.make("GuidedMath-v0", tasks="reasoning_gym/chain_sum", max_attempts=1)
    command = [arguments.peer_python, "-c", _PEER]
    count = arguments.episodes
    times: dict[str, list[float]] = {GEM: [], GEM_CHAT: [], OURS: [], OURS_GROUPED: []}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as peer:
        first = 0
        for _ in range(arguments.rounds + 1):  # the first round warms up
            times[GEM].append(their_seconds(peer, "bare", count))
            times[OURS].append(our_seconds(env, count, first, 1))
            times[GEM_CHAT].append(their_seconds(peer, "chat", count))
            times[OURS_GROUPED].append(our_seconds(env, count, first + count, GROUP))
            first += 2 * count
        _pipes(peer)[0].close()
    rows = {name: _row(seconds[1:], times[GEM][1:], count) for name, seconds in times.items()}
    for name, row in rows.items():
        print(
            f"{name:22} {row['episodes_per_second']:10,.0f} episodes/s   "
            f"{row['of_gem']:.2f} of GEM (rounds from {row['lowest']:.2f} to {row['highest']:.2f})"
        )
    if arguments.out:
        record = {"rows": rows, "episodes": count, "rounds": arguments.rounds}
        write_record(arguments.out, record, sys.argv)


def _row(seconds: list[float], gem: list[float], episodes: int) -> dict[str, float]:
    ratios = [theirs / own for theirs, own in zip(gem, seconds, strict=True)]
    return {
        "episodes_per_second": episodes / statistics.median(seconds),
        "of_gem": statistics.median(ratios),
        "lowest": min(ratios),
        "highest": max(ratios),
    }


if __name__ == "__main__":
    main()

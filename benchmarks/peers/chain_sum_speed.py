"""reset + step per second on reasoning-gym's chain_sum: ours and GEM's wrapper, side by side.

GEM (the package ``gem-llm``) pins other versions, so it runs in its own environment:

    python -m venv .venv-gem && .venv-gem/bin/pip install gem-llm==0.1.0
    python benchmarks/peers/chain_sum_speed.py --peer-python .venv-gem/bin/python

The two take turns, round by round, so that whatever else the machine does meets both. Seconds are
CPU time. An episode is a reset and one wrong answer; ours with ``max_attempts=1`` then ends, as
GEM's single-turn environment does. Ours is timed twice: every episode a new task, and groups of 8
episodes that start from one task (as group-relative training does).
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import time

GROUP = 8
_PEER = """
import sys, time, gem
env = gem.make("rg:chain_sum")
for line in sys.stdin:
    start = time.process_time()
    for _ in range(int(line)):
        env.reset()
        env.step("\\\\boxed{12}")
    print(time.process_time() - start, flush=True)
"""


def our_seconds(env: object, episodes: int, first: int, group: int) -> float:
    """CPU seconds of so many episodes, ``group`` of them from each task."""
    start = time.process_time()
    for number in range(episodes):
        env.reset(options={"index": first + number // group})  # type: ignore[attr-defined]
        env.step("Answer: 12")  # type: ignore[attr-defined]
    return time.process_time() - start


def main() -> None:
    """Run the rounds and print episodes per second and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peer-python", required=True, help="Python of the environment with GEM")
    parser.add_argument("--episodes", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()

    from corgi_gym.envs import GuidedEnv

    env = GuidedEnv(tasks="reasoning_gym/chain_sum", max_attempts=1)
    command = [arguments.peer_python, "-c", _PEER]
    times: dict[str, list[float]] = {"GEM": [], "ours": [], f"ours, groups of {GROUP}": []}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as peer:
        assert peer.stdin and peer.stdout
        first = 0
        for _ in range(arguments.rounds + 1):  # the first round warms up
            print(arguments.episodes, file=peer.stdin, flush=True)
            times["GEM"].append(float(peer.stdout.readline()))
            for name, group in (("ours", 1), (f"ours, groups of {GROUP}", GROUP)):
                times[name].append(our_seconds(env, arguments.episodes, first, group))
                first += arguments.episodes
        peer.stdin.close()
    for name, seconds in times.items():
        rate = statistics.median(arguments.episodes / s for s in seconds[1:])
        ratios = [g / s for g, s in zip(times["GEM"][1:], seconds[1:], strict=True)]
        print(
            f"{name:22} {rate:10,.0f} episodes/s   {statistics.median(ratios):.2f} of GEM "
            f"(rounds from {min(ratios):.2f} to {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()

"""How fast environments are without a model: episodes per second on one core.

    python -m corgi_gym.benchmarks.env_speed

An episode is a reset and three scripted replies of the kind that training sees: a near miss, a
fixed sentence, and the witness. Replies are prepared before the clock starts; the time is CPU time
of this process.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import NamedTuple

import gymnasium as gym

from corgi_gym.envs import FAMILIES, SUITES, GuidedEnv, load_family

ENV_IDS = (*SUITES, *(f"corgi/{family.env_id}" for family in FAMILIES.values()))
# A reply that is wrong in every family, and looks like what an untrained model writes.
FIXED_REPLY = "I think that the answer is a good one, because it is what you asked for."
# Different tasks that are played in turn: enough that caches of one task do not decide the figure.
TASKS = 64


class Speed(NamedTuple):
    """One row of the table: microseconds of a `make` and of a reset, and episodes per second."""

    env_id: str
    make_us: float
    reset_us: float
    episodes_per_second: float


def measure(env_id: str, seconds: float = 1.0) -> Speed:
    """Play scripted episodes of one environment for about ``seconds`` of CPU time."""
    gym.make(env_id)  # imports the families, once per process
    start = time.process_time()
    env = gym.make(env_id, max_attempts=3)
    make = time.process_time() - start
    scripts = [_script(env, index) for index in range(TASKS)]
    resets = episodes = 0
    start = time.process_time()
    while (elapsed := time.process_time() - start) < seconds:
        index = episodes % TASKS
        env.reset(seed=index, options={"index": index})
        for reply in scripts[index]:
            _, _, terminated, truncated, _ = env.step(reply)
            if terminated or truncated:
                break
        episodes += 1
    speed = episodes / elapsed
    start = time.process_time()
    while (elapsed := time.process_time() - start) < seconds / 4:
        env.reset(seed=resets, options={"index": resets})
        resets += 1
    return Speed(env_id, 1e6 * make, 1e6 * elapsed / resets, speed)


def _script(env: gym.Env[str, str], index: int) -> tuple[str, str, str]:
    guided = env.unwrapped
    assert isinstance(guided, GuidedEnv)
    task = guided.task_at(index)
    near_misses = load_family(task.family)().near_misses(task)
    return near_misses[index % len(near_misses)], FIXED_REPLY, task.witness


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m corgi_gym.benchmarks.env_speed",
        description="Episodes per second of each environment, without a model.",
        epilog="example: python -m corgi_gym.benchmarks.env_speed GuidedMath-v0 --seconds 3",
    )
    parser.add_argument("env_ids", nargs="*", help="environments (default: all)")
    parser.add_argument("--seconds", type=float, default=1.0, help="CPU seconds per environment")
    options = parser.parse_args(arguments)
    print(f"{'environment':30} {'make, us':>9} {'reset, us':>9} {'episodes/s':>11}")
    for env_id in options.env_ids or ENV_IDS:
        row = measure(env_id, options.seconds)
        print(f"{env_id:30} {row.make_us:9.0f} {row.reset_us:9.0f} {row.episodes_per_second:11.0f}")


if __name__ == "__main__":
    main()

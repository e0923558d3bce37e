"""How fast environments are without a model: episodes per second on one core.

    python -m corgi_gym.benchmarks.env_speed

An episode is a reset and three scripted replies of the kind that training sees: a near miss, a
wrong sentence, and the witness. Every episode is another task with other replies, so that no memory
of earlier ones decides the figure. Writing the replies is not timed; the time is CPU time of this
process. The last column says what groups of 8 rollouts of one task reach: the first makes the
task, the others find it kept (`TaskSource.item`).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import gymnasium as gym

from corgi_gym.envs import FAMILIES, SUITES, GuidedEnv

ENV_IDS = (*SUITES, *(f"corgi/{family.env_id}" for family in FAMILIES.values()))
# A reply that is wrong in every family, and looks like what an untrained model writes.
WRONG_REPLY = "I think that answer {} is a good one, because it is what you asked for."
# Rollouts of one task in the last column: the usual size of a group.
GROUP = 8
# Episodes that are played before the clock starts: they load word lists, models and libraries, some
# of which only one in twenty tasks needs.
_WARM_UP = 50


class Speed(NamedTuple):
    """One row of the table.

    Attributes:
        env_id: The environment.
        make_us: Microseconds of a `gymnasium.make`.
        reset_us: Microseconds of a reset to a new task.
        again_us: Microseconds of a reset to the task before.
        episodes_per_second: Episodes with a new task each.
        grouped_per_second: Episodes in groups of 8 with one task.
    """

    env_id: str
    make_us: float
    reset_us: float
    again_us: float
    episodes_per_second: float
    grouped_per_second: float


def measure(env_id: str, seconds: float = 1.0) -> Speed:
    """Play scripted episodes of one environment for about ``seconds`` of CPU time."""
    warm = gym.make(env_id, max_attempts=3)
    for index in range(_WARM_UP):
        _play(warm, index)
    made: list[gym.Env[str, str]] = []
    make = _timed(lambda: made.append(gym.make(env_id, max_attempts=3)))
    resets = agains = steps = 0.0
    episodes = 0
    while resets + agains + steps < seconds:
        reset, again, stepped = _play(made[0], _WARM_UP + episodes)
        resets, agains, steps = resets + reset, agains + again, steps + stepped
        episodes += 1
    grouped = (resets + (GROUP - 1) * agains) / GROUP + steps
    return Speed(
        env_id,
        1e6 * make,
        1e6 * resets / episodes,
        1e6 * agains / episodes,
        episodes / (resets + steps),
        episodes / grouped,
    )


def _play(env: gym.Env[str, str], index: int) -> tuple[float, float, float]:
    """CPU seconds of a reset, of a second one to the same task, and of the steps."""

    def reset() -> None:
        env.reset(seed=index, options={"index": index})

    times = _timed(reset), _timed(reset)
    replies = _script(env, index)

    def steps() -> None:
        for reply in replies:
            _, _, terminated, truncated, _ = env.step(reply)
            if terminated or truncated:
                break

    return *times, _timed(steps)


def _timed(work: Callable[[], None]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _script(env: gym.Env[str, str], index: int) -> tuple[str, str, str]:
    guided = env.unwrapped
    assert isinstance(guided, GuidedEnv)
    task = guided.task_at(index)
    near_misses = guided.sources[task.family].near_misses(task)
    return near_misses[index % len(near_misses)], WRONG_REPLY.format(index), task.witness


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
    print(
        f"{'environment':30} {'make, us':>9} {'reset, us':>9} {'again, us':>9} "
        f"{'episodes/s':>11} {'in groups/s':>11}"
    )
    for env_id in options.env_ids or ENV_IDS:
        row = measure(env_id, options.seconds)
        print(
            f"{env_id:30} {row.make_us:9.0f} {row.reset_us:9.0f} {row.again_us:9.0f} "
            f"{row.episodes_per_second:11.0f} {row.grouped_per_second:11.0f}"
        )


if __name__ == "__main__":
    main()

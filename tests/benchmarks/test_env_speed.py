"""The speed benchmark runs, and environments are not the bottleneck of anything."""

import time

import pytest

from corgi_gym.benchmarks.env_speed import ENV_IDS, main, measure
from corgi_gym.envs import SUITES, GuidedEnv

pytestmark = pytest.mark.alone


@pytest.mark.parametrize("env_id", SUITES)
def test_mixtures_play_hundreds_of_episodes_per_second(env_id):
    least = 60 if env_id == "InstructionFollowing-v0" else 300
    assert measure(env_id, seconds=0.3).episodes_per_second > least


def test_the_command_prints_one_row_per_environment(capsys):
    main(["--seconds", "0.01"])
    header, *rows = capsys.readouterr().out.splitlines()
    names = ["environment", "make, us", "reset, us", "again, us", "episodes/s", "in groups/s"]
    assert header.split() == " ".join(names).split()
    assert [row.split()[0] for row in rows] == list(ENV_IDS)
    assert all(float(number) > 0 for row in rows for number in row.split()[1:])


def test_a_kept_task_is_cheaper_than_a_new_one():
    row = measure("corgi/Instructions-v0", seconds=0.1)
    assert row.again_us < row.reset_us / 4
    assert row.grouped_per_second > row.episodes_per_second


def test_chain_sum_needs_little_beside_its_generator():
    """An episode takes about 40 microseconds, 12 of them in reasoning-gym (`make bench-peers`)."""
    pytest.importorskip("reasoning_gym")
    env = GuidedEnv(tasks="reasoning_gym/chain_sum", max_attempts=1)
    env.reset(options={"index": 10_000})  # loads what is loaded once
    start = time.process_time()
    for index in range(500):
        env.reset(options={"index": index})
        env.step("Answer: 12")
    assert (time.process_time() - start) / 500 < 1e-3

"""The speed benchmark runs, and environments are not the bottleneck of anything."""

import pytest

from corgi_gym.benchmarks.env_speed import ENV_IDS, main, measure
from corgi_gym.envs import SUITES


@pytest.mark.parametrize("env_id", SUITES)
def test_mixtures_play_hundreds_of_episodes_per_second(env_id):
    least = 60 if env_id == "InstructionFollowing-v0" else 300
    assert measure(env_id, seconds=0.3).episodes_per_second > least


def test_the_command_prints_one_row_per_environment(capsys):
    main(["--seconds", "0.01"])
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split() == ["environment", "make,", "us", "reset,", "us", "episodes/s"]
    assert [row.split()[0] for row in rows] == list(ENV_IDS)
    assert all(float(number) > 0 for row in rows for number in row.split()[1:])

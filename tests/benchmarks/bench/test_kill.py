"""A benchmark with real trainings of the tiny model, killed four times: nothing is lost."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = Path(__file__).with_name("kill_driver.py")
BUDGET = 200


@pytest.fixture(scope="module")
def results(tiny_folder, tmp_path_factory):
    pytest.importorskip("trl")
    work = tmp_path_factory.mktemp("bench")
    done = subprocess.run(
        [sys.executable, str(DRIVER), tiny_folder, str(work)],
        capture_output=True,
        text=True,
        timeout=900,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads((work / "results.json").read_text())


def test_killed_four_times_and_the_same_in_the_end(results):
    kills = {
        "in_the_start": -9,
        "in_second_round": -9,
        "in_resampling": -9,
        "before_the_status": -9,
    }
    assert results["codes"] == {"whole": 0, **kills, "rest": 0}
    assert "done" not in results["states"]
    assert results["killed"] == results["whole"]
    assert results["killed"]["grpo"]["weights"] == []


def test_all_arms_begin_with_the_policy_that_was_trained_first(results):
    grpo, untrained = results["whole"]["grpo"], results["whole"]["untrained"]
    assert grpo["start"] == untrained["start"] and grpo["start"]["steps"] == 2
    assert grpo["metrics"]["curve"][0]["success"] == grpo["start"]["success_after"]


def test_the_curve_and_the_budget_in_tokens(results):
    metrics = results["whole"]["grpo"]["metrics"]
    curve = metrics["curve"]
    assert [row["step"] for row in curve[:-1]] == list(range(metrics["cost"]["steps"]))
    assert curve[0]["tokens"] == 0 and curve[-1]["step"] == metrics["cost"]["steps"] > 1
    # no round starts after the budget is used up, and the last one uses it up
    assert curve[-2]["tokens"] < BUDGET <= curve[-1]["tokens"]
    assert results["whole"]["untrained"]["metrics"]["curve"] == []


def test_the_results_are_verified(results):
    assert results["verified"].endswith("\nsound") or results["verified"] == "sound"
    assert "16 episodes replayed" in results["verified"]

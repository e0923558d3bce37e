"""A run does not hold on to what its rounds have made."""

import gc

import pytest
import torch

from corgi_gym.agents.episode import Episode
from corgi_gym.benchmarks.throughput.training_memory import (
    SETTLED,
    Memory,
    growth,
    make_recipe,
    measure,
    run,
)


class Alive(Memory):
    """Counts the tensors and episodes that are alive after each round."""

    def __init__(self, rounds):
        super().__init__(rounds)
        self.tensors, self.episodes = [], []

    def round(self, row, seconds_left):
        super().round(row, seconds_left)
        alive = gc.get_objects()
        self.tensors.append(sum(issubclass(type(o), torch.Tensor) for o in alive))
        self.episodes.append(sum(type(o) is Episode for o in alive))


def test_rounds_leave_nothing_behind(tiny_folder, tmp_path):
    recipe = make_recipe(tiny_folder, 15, "turn_grpo")
    recipe.train.save_every = 4
    alive = Alive(15)
    run(recipe, tmp_path / "run", display=alive)
    assert len(alive.values) == 15
    # rounds differ in how many micro-batches they have, so in a few tensors
    assert max(alive.tensors[10:]) <= max(alive.tensors[5:10]) + 20
    assert max(alive.episodes[10:]) <= max(alive.episodes[5:10])


# Resident MB per round after the settled ones: about 0.3 come from caches that fill.
MOST_GROWTH = 1.0

MEASURED = """
from pathlib import Path
from corgi_gym.benchmarks.throughput.training_memory import make_recipe, measure
print(*measure(make_recipe({model!r}, {rounds}, "turn_grpo"), Path({out!r})))
"""
# A trainer that keeps 4 MB of each round.
LEAK = """
import torch
from corgi_gym.agents.grpo import GuidedGRPOTrainer
kept, made = [], GuidedGRPOTrainer._generate_and_score_completions
def keeping(self, inputs):
    kept.append(torch.ones(2**20))
    return made(self, inputs)
GuidedGRPOTrainer._generate_and_score_completions = keeping
"""


@pytest.mark.parametrize(("rounds", "leak"), [(40, ""), (20, LEAK)], ids=["as it is", "leaking"])
def test_resident_memory_hardly_grows(rounds, leak, tiny_folder, tmp_path, run_python):
    """In a process of its own: counts of objects say nothing of what C++ holds on to."""
    code = MEASURED.format(model=tiny_folder, rounds=rounds, out=str(tmp_path / "run"))
    values = [float(word) for word in run_python(leak + code).splitlines()[-1].split()]
    assert len(values) == rounds
    leaks = growth(values) > MOST_GROWTH * (rounds - SETTLED)
    assert leaks == bool(leak), values


def test_the_measurement_is_one_value_per_round(tiny_folder, tmp_path, capsys):
    values = measure(make_recipe(tiny_folder, 2, "turn_grpo"), tmp_path / "run")
    assert len(values) == 2 and min(values) > 100
    assert "round    2" in capsys.readouterr().out

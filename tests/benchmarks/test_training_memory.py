"""A run does not hold on to what its rounds have made."""

import gc

import torch

from corgi_gym.agents.episode import Episode
from corgi_gym.benchmarks.throughput.training_memory import (
    Memory,
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


def test_the_measurement_is_one_value_per_round(tiny_folder, tmp_path, capsys):
    values = measure(make_recipe(tiny_folder, 2, "turn_grpo"), tmp_path / "run")
    assert len(values) == 2 and min(values) > 100
    assert "round    2" in capsys.readouterr().out

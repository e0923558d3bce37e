"""The two mathematical families: witnesses, near misses, splits, purity, limits of options."""

import os
import re
import subprocess
import sys
from collections import Counter
from itertools import permutations, product

import gymnasium as gym
import pytest

import corgi_gym  # noqa: F401  registers the ids
from corgi_gym.envs.task import SPLITS
from corgi_gym.envs.tasks import load_family
from corgi_gym.envs.tasks.countdown import Countdown
from corgi_gym.envs.tasks.multistep_arithmetic import (
    LARGEST_RESULT,
    SEEN,
    TINY,
    UNSEEN,
    MultistepArithmetic,
)
from corgi_gym.rewards import judge
from corgi_gym.rewards.rational import evaluate

SOURCES = {
    "multistep, all cells": MultistepArithmetic(cells="all"),
    "multistep, tiny": MultistepArithmetic(cells="tiny"),
    "multistep, easiest": MultistepArithmetic(cells="l2d0", numbers=(0, 9), operators="+"),
    "countdown": Countdown(),
    "countdown, all numbers": Countdown(use_all=True),
    "countdown, six of 100": Countdown(numbers=(6, 6), largest=100, largest_target=999),
}
PER_SPLIT = 100


@pytest.fixture(scope="module", params=SOURCES, ids=str)
def tasks(request):
    source = SOURCES[request.param]
    return source, {s: [source.item(5, i, s) for i in range(PER_SPLIT)] for s in SPLITS}


def test_witness_is_right_and_near_misses_are_not(tasks):
    source, by_split = tasks
    for task in (task for split in SPLITS for task in by_split[split]):
        assert judge(task.checker, task.witness, task.target).success, task
        misses = source.near_misses(task)
        assert len(misses) >= 10
        for miss in misses:
            verdict = judge(task.checker, miss, task.target)
            assert verdict.status == "scored" and verdict.score < 1.0, (task.prompt, miss)
            assert verdict.score <= 0.5


def test_splits_do_not_overlap(tasks):
    _, by_split = tasks
    ids = {split: {task.task_id for task in by_split[split]} for split in SPLITS}
    prompts = {split: {task.prompt for task in by_split[split]} for split in SPLITS}
    for a, b in (("train", "validation"), ("train", "test"), ("validation", "test")):
        assert not ids[a] & ids[b] and not prompts[a] & prompts[b]


def test_equal_ids_are_equal_tasks(tasks):
    _, by_split = tasks
    content = {}
    for task in (task for split in SPLITS for task in by_split[split]):
        assert content.setdefault(task.task_id, (task.prompt, task.target)) == (
            task.prompt,
            task.target,
        )


def test_item_is_pure(tasks):
    source, by_split = tasks
    for index in (99, 0, 50):
        assert source.item(5, index, "test") == by_split["test"][index]
    assert len({source.item(seed, 0).task_id for seed in range(20)}) > 10


@pytest.mark.parametrize(
    "reply",
    ["Answer: 0", "Answer: 1", "Answer: 12", "Answer: 1 + 1", "Answer: 3 + 4 * 5", "Answer: -1"],
)
def test_a_fixed_reply_earns_little(tasks, reply):
    _, by_split = tasks
    verdicts = [judge(t.checker, reply, t.target) for split in SPLITS for t in by_split[split]]
    assert sum(v.score for v in verdicts) / len(verdicts) < 0.2
    assert sum(v.success for v in verdicts) / len(verdicts) < 0.1


@pytest.mark.parametrize("cell", SEEN + UNSEEN + TINY)
def test_every_cell(cell):
    source = MultistepArithmetic(cells=cell)
    length, depth = re.fullmatch(r"l(\d)d(\d+)", cell).groups()
    groups = 2 ** depth.count("2")
    for index in range(25):
        task = source.item(1, index, SPLITS[index % 3])
        found = evaluate(task.target)
        assert len(found.numbers) == int(length) * groups
        assert all(number <= 9 for number in found.numbers)
        assert 0 < abs(found.value) <= LARGEST_RESULT
        assert task.target.count("(") == (0 if groups == 1 else 2 * groups - 2)
        assert task.witness.endswith(f"Answer: {found.value}")
        assert judge(task.checker, task.witness, task.target).metrics["steps"] > 0


def test_the_named_selections_are_triposts_twelve_cells():
    assert len({*SEEN, *UNSEEN}) == 12
    assert MultistepArithmetic().cells == [(3, 1), (3, 2), (4, 1), (4, 2)]
    assert MultistepArithmetic(cells=["l3d2", "l6d222"]).cells == [(3, 1), (6, 3)]


def test_cells_are_drawn_evenly():
    source = MultistepArithmetic(cells="seen")
    sizes = Counter(len(evaluate(source.item(0, i).target).numbers) for i in range(400))
    assert set(sizes) == {6, 8, 12, 16}
    assert all(60 < count < 140 for count in sizes.values()), sizes


def test_countdown_targets():
    for source in (Countdown(), Countdown(numbers=(2, 2), largest=9)):
        for index in range(200):
            target = source.item(2, index).target
            numbers = target["numbers"]
            assert numbers == sorted(set(numbers)) and target["target"] not in numbers
            assert 0 < target["target"] <= source.largest_target
            assert max(numbers) <= source.largest


def test_no_fixed_recipe_solves_countdown():
    source, hits = Countdown(), Counter()
    tasks = [source.item(0, index) for index in range(150)]
    for task in tasks:
        low = sorted(task.target["numbers"])
        for order, signs in product(permutations(range(3)), product("+-*", repeat=2)):
            for name, numbers in (("low", low), ("high", low[::-1])):
                a, b, c = (numbers[i] for i in order)
                text = f"{a} {signs[0]} {b} {signs[1]} {c}"
                hits[name, order, signs] += evaluate(text).value == task.target["target"]
    assert max(hits.values()) / len(tasks) < 0.15  # measured: 0.08


@pytest.mark.parametrize("family", ["multistep_arithmetic", "countdown"])
def test_prompt_never_shows_the_witness(family):
    source = load_family(family)()
    for index in range(100):
        task = source.item(0, index)
        assert task.witness.removeprefix("Answer: ") not in task.prompt
        assert len(task.prompt) < 500


@pytest.mark.parametrize(
    "make",
    [
        lambda: MultistepArithmetic(cells="hard"),
        lambda: MultistepArithmetic(cells=[]),
        lambda: MultistepArithmetic(cells="l9d2"),
        lambda: MultistepArithmetic(operators="/"),
        lambda: MultistepArithmetic(operators=""),
        lambda: MultistepArithmetic(numbers=(9, -9)),
        lambda: MultistepArithmetic(numbers=(0, 1000)),
        lambda: Countdown(numbers=(1, 2)),
        lambda: Countdown(numbers=(4, 3)),
        lambda: Countdown(numbers=(3, 7)),
        lambda: Countdown(largest=4),
        lambda: Countdown(largest=50, largest_target=10),
    ],
)
def test_bad_options_are_named(make):
    with pytest.raises(ValueError, match=r"cells|operators|numbers|largest"):
        make()


def test_same_tasks_whatever_the_hash_seed():
    code = (
        "from corgi_gym.envs.tasks import load_family\n"
        "from corgi_gym.rewards import judge\n"
        "for name in ('multistep_arithmetic', 'countdown'):\n"
        "    source = load_family(name)()\n"
        "    for i in range(20):\n"
        "        task = source.item(3, i, 'test')\n"
        "        print(task.task_id, task.prompt, task.witness)\n"
        "        for miss in source.near_misses(task):\n"
        "            print(judge(task.checker, miss, task.target))\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "4242")
    }
    assert len(outputs) == 1 and len(outputs.pop()) > 10_000


def test_solving_through_the_environment():
    options = {"multistep_arithmetic": {"cells": "tiny"}}
    env = gym.make("GuidedMath-v0", tasks="all", task_options=options)
    for index in range(4):
        _, info = env.reset(seed=0, options={"index": index})
        task = env.unwrapped.task_at(index)
        near_miss = env.unwrapped.sources[info["task"]].near_misses(task)[0]
        message, reward, terminated, _, _ = env.step(near_miss)
        assert reward < 1.0 and not terminated and message.endswith("Try again.")
        _, _, terminated, _, info = env.step(task.witness)
        assert terminated and info["success"] and info["best_score"] == 1.0

"""The `concepts` family: witnesses, near misses, splits and purity."""

import json
import os
import subprocess
import sys

import pytest

from corgi_gym.envs.task import SPLITS
from corgi_gym.envs.tasks.concepts import Concepts, scenes
from corgi_gym.rewards import judge

COUNTS = range(2, 9)


def tasks(per_split):
    for count in COUNTS:
        source = Concepts(count=(count, count))
        for split in SPLITS:
            for index in range(per_split):
                yield source, source.item(5, index, split)


def test_witness_solves_and_near_misses_do_not():
    number = 0
    for source, task in tasks(25):
        number += 1
        verdict = judge(task.checker, task.witness, task.target)
        assert verdict.success, (task.witness, task.target, verdict.problems)
        for reply in source.near_misses(task):
            assert judge(task.checker, reply, task.target).score < 1.0, (reply, task.target)
    assert number >= 500


def test_prompt_states_the_task_briefly():
    for _, task in tasks(10):
        assert all(word in task.prompt for word in task.target["concepts"])
        assert len(task.prompt.split()) <= 40
        assert task.witness not in task.prompt


def test_count_is_kept_and_checked():
    sizes = {len(Concepts((3, 5)).item(0, i).target["concepts"]) for i in range(60)}
    assert sizes == {3, 4, 5}
    for bad in ((1, 3), (5, 3), (3, 9)):
        with pytest.raises(ValueError, match="count must be"):
            Concepts(count=bad)


def test_splits_share_no_word_set():
    source = Concepts((3, 3))
    seen = {
        split: {frozenset(source.item(0, i, split).target["concepts"]) for i in range(300)}
        for split in SPLITS
    }
    assert not seen["train"] & seen["validation"]
    assert not seen["train"] & seen["test"]
    assert not seen["validation"] & seen["test"]


def test_many_scenes_and_sets():
    assert len(scenes()) >= 40
    source = Concepts((3, 5))
    sets = [frozenset(source.item(0, i).target["concepts"]) for i in range(1_000)]
    assert len(set(sets)) >= 970


def test_items_are_pure_and_equal_in_every_process():
    code = (
        "import json; from corgi_gym.envs.tasks.concepts import Concepts; s = Concepts();"
        "t = [s.item(3, i, p) for i in range(15) for p in ('train', 'test')];"
        "v = [s.checker(m, x.target) for x in t for m in [x.witness, *s.near_misses(x)]];"
        "print(json.dumps([[x.prompt, x.witness, x.task_id] for x in t]"
        " + [[y.score, *(p.message for p in y.problems)] for y in v]))"
    )
    results = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        run = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, check=True
        )
        results.append(json.loads(run.stdout))
    assert results[0] == results[1]
    source = Concepts()
    assert source.item(3, 7) == source.item(3, 7)


def test_fixed_replies_that_ignore_the_prompt_rarely_solve():
    fixed = [
        "The happy girl carried a basket of apples across the field in the morning.",
        "The man threw a ball to his dog in the park while the children watched.",
        "A woman is washing the dishes in the kitchen before dinner.",
    ]
    source = Concepts((2, 5))
    solved = [
        judge(task.checker, reply, task.target).success
        for task in (source.item(1, i, "test") for i in range(300))
        for reply in fixed
    ]
    assert sum(solved) <= 0.01 * len(solved)

"""What num_planning, panagram and clustering have in common: witnesses, splits, purity."""

import os
import subprocess
import sys

import pytest

from corgi_gym.envs import SPLITS, family_names, load_family
from corgi_gym.rewards import judge

PER_SPLIT = 110


@pytest.fixture(scope="module", params=("num_planning", "panagram", "clustering"))
def name(request):
    return request.param


@pytest.fixture(scope="module")
def tasks(name):
    source = load_family(name)()
    return {split: [source.item(3, i, split) for i in range(PER_SPLIT)] for split in SPLITS}


def test_family_is_listed(name):
    assert load_family(name).family == name in family_names()
    assert load_family(name).summary


def test_witness_succeeds_and_near_misses_do_not(name, tasks):
    source = load_family(name)()
    for task in (task for split in SPLITS for task in tasks[split]):
        verdict = judge(task.checker, task.witness, task.target)
        assert verdict.success, (task.prompt, task.witness, verdict.problems)
        misses = source.near_misses(task)
        assert len(misses) >= 8
        for reply in misses:
            verdict = judge(task.checker, reply, task.target)
            assert verdict.status == "scored"
            assert verdict.score < 1.0, (task.prompt, reply)


def test_splits_do_not_overlap(tasks):
    prompts = [{task.prompt for task in tasks[split]} for split in SPLITS]
    ids = [{task.task_id for task in tasks[split]} for split in SPLITS]
    for parts in (prompts, ids):
        assert sum(map(len, parts)) == len(set().union(*parts))


def test_item_is_pure_and_random_access(name):
    one, other = load_family(name)(), load_family(name)()
    backwards = {i: other.item(5, i) for i in reversed(range(20))}
    assert [one.item(5, i) for i in range(20)] == [backwards[i] for i in range(20)]
    assert one.item(5, 0) != one.item(6, 0)


def test_tasks_and_verdicts_are_equal_under_other_hash_seeds(name):
    code = (
        "from corgi_gym.envs import load_family; from corgi_gym.rewards import judge\n"
        f"source = load_family({name!r})()\n"
        "for i in range(40):\n"
        "    t = source.item(1, i)\n"
        "    print(t.task_id, repr(t.prompt), t.target, repr(t.witness))\n"
        "    print([judge(t.checker, m, t.target) for m in source.near_misses(t)])\n"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1] != ""

"""The panagram family: witnesses, near misses, splits, purity, exploits."""

import os
import subprocess
import sys

import pytest

from corgi_gym.envs import SPLITS, family_names, load_family
from corgi_gym.rewards import judge

Family = load_family("panagram")
PER_SPLIT = 110


@pytest.fixture(scope="module")
def tasks():
    source = Family()
    return {split: [source.item(3, i, split) for i in range(PER_SPLIT)] for split in SPLITS}


def all_tasks(tasks):
    return [task for split in SPLITS for task in tasks[split]]


def test_family_is_listed():
    assert Family.family == "panagram" in family_names()
    assert Family.summary


def test_witness_succeeds_and_near_misses_do_not(tasks):
    source = Family()
    for task in all_tasks(tasks):
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


def test_item_is_pure_and_random_access():
    one, other = Family(), Family()
    backwards = {i: other.item(5, i) for i in reversed(range(20))}
    assert [one.item(5, i) for i in range(20)] == [backwards[i] for i in range(20)]
    assert one.item(5, 0) != one.item(6, 0)


def test_tasks_and_verdicts_are_equal_under_other_hash_seeds():
    code = (
        "from corgi_gym.envs import load_family; from corgi_gym.rewards import judge\n"
        "source = load_family('panagram')()\n"
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


def test_prompt_lists_the_letters_and_hides_the_word(tasks):
    for task in all_tasks(tasks):
        assert ", ".join(task.target) in task.prompt
        letters = task.prompt.split(":")[1].split(".")[0]
        assert task.witness not in letters.replace(", ", "")
        assert set(task.witness) == set(task.target)
        assert not judge(task.checker, task.target, task.target).success


def test_fixed_replies_rarely_succeed(tasks):
    for reply in ("plane", "state", "the", "abcdefghijklmnopqrstuvwxyz", "", "tests", "area"):
        wins = sum(judge(t.checker, reply, t.target).success for t in all_tasks(tasks))
        assert wins <= 0.02 * 3 * PER_SPLIT, reply


def test_listing_all_solutions_earns_nothing(tasks):
    for task in all_tasks(tasks):
        reply = f"{task.witness}, {task.witness}s, {task.target}"
        assert judge(task.checker, reply, task.target).score == 0.0


def test_letters_option():
    for i in range(20):
        assert len(Family(letters=(3, 4)).item(0, i).target) in (3, 4)
    for bad in ((2, 5), (3, 7), (5, 4)):
        with pytest.raises(ValueError, match="letters"):
            Family(letters=bad)


def test_there_are_many_letter_sets():
    assert len(Family().keys) > 2_000
    assert all(Family(letters=(n, n)).item(0, 0, split) for n in range(3, 7) for split in SPLITS)

"""The clustering family: witnesses, near misses, splits, purity, exploits."""

import os
import subprocess
import sys

import pytest

from corgi_gym.envs import SPLITS, family_names, load_family
from corgi_gym.rewards import judge

Family = load_family("clustering")
PER_SPLIT = 110


@pytest.fixture(scope="module")
def tasks():
    source = Family()
    return {split: [source.item(3, i, split) for i in range(PER_SPLIT)] for split in SPLITS}


def all_tasks(tasks):
    return [task for split in SPLITS for task in tasks[split]]


def test_family_is_listed():
    assert Family.family == "clustering" in family_names()
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
        "source = load_family('clustering')()\n"
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


def test_prompt_names_everybody_and_every_wish(tasks):
    for task in all_tasks(tasks):
        students = task.target["students"]
        assert len({name.casefold() for name in students}) == len(students)
        assert f"groups: {', '.join(students)}." in task.prompt
        for student, how, other in task.target["wishes"]:
            verb = "wants" if how == "with" else "does not want"
            assert f"{student} {verb} to be with {other}." in task.prompt
        assert task.witness not in task.prompt


def test_fixed_replies_never_succeed(tasks):
    for reply in ("Group 1: Anna, Ben\nGroup 2: Carl, Dora", "Group 1: name, name", "", "Group 1:"):
        for task in all_tasks(tasks):
            assert judge(task.checker, reply, task.target).score < 0.5


def test_shotgun_replies_fail(tasks):
    for task in all_tasks(tasks):
        names = task.target["students"]
        pairs = [(a, b) for a in names for b in names if a != b]
        every_pair = "\n".join(f"Group {i}: {a}, {b}" for i, (a, b) in enumerate(pairs, start=1))
        everyone = "\n".join(f"Group {i}: {', '.join(names)}" for i in range(1, 4))
        for reply in (every_pair, everyone):
            assert judge(task.checker, reply, task.target).score < 0.6


def test_sizes_follow_the_paper():
    tasks = [Family().item(0, i) for i in range(500)]
    sizes = [len(t.target["students"]) for t in tasks]
    wishes = [len(t.target["wishes"]) for t in tasks]
    assert set(sizes) == set(range(4, 11)) and set(wishes) == {1, 2, 3, 4}
    # CORGI's test set has 569, 271, 123 and 37 of 1000
    for number, share in zip((1, 2, 3, 4), (0.569, 0.271, 0.123, 0.037), strict=True):
        assert abs(wishes.count(number) / len(wishes) - share) < 0.07


def test_options():
    for i in range(20):
        target = Family(students=(8, 9), constraints=(2, 2)).item(0, i).target
        assert len(target["students"]) in (8, 9) and len(target["wishes"]) == 2
    for bad in ({"students": (3, 5)}, {"students": (4, 11)}, {"constraints": (2, 3)}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            Family(**bad)


def test_names_are_unique_and_plain():
    from corgi_gym.envs.tasks.clustering import NAMES

    assert len({name.casefold() for name in NAMES}) == len(NAMES) > 150
    assert all(name.isascii() and name.isalpha() for name in NAMES)

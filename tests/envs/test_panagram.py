"""What the panagram family asks for, and exploits that must not pay."""

import pytest

from corgi_gym.envs import SPLITS, load_family
from corgi_gym.rewards import judge

Family = load_family("panagram")
PER_SPLIT = 110


@pytest.fixture(scope="module")
def tasks():
    source = Family()
    return {split: [source.item(3, i, split) for i in range(PER_SPLIT)] for split in SPLITS}


def all_tasks(tasks):
    return [task for split in SPLITS for task in tasks[split]]


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

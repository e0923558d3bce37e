"""What the clustering family asks for, and exploits that must not pay."""

import pytest

from corgi_gym.envs import SPLITS, load_family
from corgi_gym.rewards import judge

Family = load_family("clustering")
PER_SPLIT = 110


@pytest.fixture(scope="module")
def tasks():
    source = Family()
    return {split: [source.item(3, i, split) for i in range(PER_SPLIT)] for split in SPLITS}


def all_tasks(tasks):
    return [task for split in SPLITS for task in tasks[split]]


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

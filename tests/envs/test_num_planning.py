"""The num_planning family: witnesses, near misses, splits, purity, exploits."""

import os
import subprocess
import sys

import pytest

from corgi_gym.envs import SPLITS, family_names, load_family
from corgi_gym.rewards import judge

Family = load_family("num_planning")
PER_SPLIT = 110


@pytest.fixture(scope="module")
def tasks():
    source = Family()
    return {split: [source.item(3, i, split) for i in range(PER_SPLIT)] for split in SPLITS}


def all_tasks(tasks):
    return [task for split in SPLITS for task in tasks[split]]


def test_family_is_listed():
    assert Family.family == "num_planning" in family_names()
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
        "source = load_family('num_planning')()\n"
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


def test_prompt_states_the_task_briefly_and_hides_the_witness(tasks):
    for task in all_tasks(tasks):
        instruction, _, beginning = task.prompt.partition("\n\n")
        assert len(instruction.split()) <= 30
        assert f"exactly {task.target['count']} more words" in instruction
        assert f'"{task.target["last"]}"' in instruction
        assert beginning == f"{task.target['beginning']} ..."
        assert task.witness not in task.prompt


def test_fixed_replies_rarely_succeed(tasks):
    fixed = ("the morning", "in the morning", "at the end of the week", "for the first time",
             "because everybody was hungry", "one two three", "", "bus " * 5)  # fmt: skip
    for reply in fixed:
        wins = sum(judge(t.checker, reply, t.target).success for t in all_tasks(tasks))
        assert wins <= 0.02 * 3 * PER_SPLIT, reply


def test_repeating_the_last_word_never_succeeds(tasks):
    for task in all_tasks(tasks):
        count, last = task.target["count"], task.target["last"]
        for filler in (last, "the", "and", "very", "word"):
            reply = " ".join([filler] * (count - 1) + [last])
            if count > 2:
                assert judge(task.checker, reply, task.target).score <= 0.2, reply


def test_small_counts_are_preferred_as_in_the_paper():
    counts = [Family().item(0, i).target["count"] for i in range(600)]
    shares = [counts.count(n) / len(counts) for n in range(2, 11)]
    assert 0.15 < shares[0] < 0.27 and 0.02 < shares[-1] < 0.09
    assert sum(shares[:3]) > sum(shares[3:6]) > sum(shares[6:])


def test_count_option():
    for i in range(20):
        assert 4 <= Family(count=(4, 6)).item(0, i).target["count"] <= 6
    for bad in ((1, 5), (2, 11), (6, 4)):
        with pytest.raises(ValueError, match="count"):
            Family(count=bad)


def test_sentences_are_many_and_end_in_many_words():
    import numpy as np

    from corgi_gym.envs.tasks._sentences import make_sentence

    sentences = [make_sentence(np.random.default_rng(i)) for i in range(5_000)]
    assert len(set(sentences)) > 0.99 * len(sentences)
    assert len({s.split()[-1] for s in sentences}) > 200
    assert all("{" not in s and ":" not in s and "!" not in s and "  " not in s for s in sentences)


def test_every_whole_sentence_is_prose():
    import numpy as np

    from corgi_gym.envs.tasks._sentences import make_sentence
    from corgi_gym.rewards.prose import prose_problem, tokens

    for i in range(2_000):
        text = make_sentence(np.random.default_rng(i))
        assert prose_problem(text, tokens(text)) is None, text

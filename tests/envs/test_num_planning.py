"""What the num_planning family asks for, and exploits that must not pay."""

import pytest

from corgi_gym.envs import SPLITS, load_family
from corgi_gym.rewards import judge

Family = load_family("num_planning")
PER_SPLIT = 110


@pytest.fixture(scope="module")
def tasks():
    source = Family()
    return {split: [source.item(3, i, split) for i in range(PER_SPLIT)] for split in SPLITS}


def all_tasks(tasks):
    return [task for split in SPLITS for task in tasks[split]]


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


@pytest.mark.parametrize("index", [37, 1199, 1240, 1370])
def test_a_witness_of_five_words_is_no_list_of_words(index):
    """The first draw of each was, such as "lonely widow drank hot chocolate."."""
    task = Family(count=(5, 5)).item(0, index, "train")
    assert judge(task.checker, task.witness, task.target).success

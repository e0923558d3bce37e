"""The `constraints` family: witnesses, near misses, blind texts, options, a user's own set."""

import warnings

import gymnasium as gym
import pytest

import corgi_gym  # noqa: F401  registers the ids
from corgi_gym.envs import SPLITS, GuidedEnv, family_names
from corgi_gym.envs.tasks._texts import LAYOUTS, is_accepted, make_text
from corgi_gym.envs.tasks.constraint_grammar import ConstraintGrammar
from corgi_gym.rewards import judge
from corgi_gym.rewards.constraints import Passage, describe, find_conflict, holds, parse

COUNT = {"level": "word", "transform": "count", "relation": "==", "value": 12}
SENTENCES = {"level": "sentence", "transform": "count", "relation": ">", "value": 20}
LIPOGRAM = {
    "level": "character", "transform": "count", "of": "y", "relation": "==", "value": 0,
}  # fmt: skip
PER_SPLIT = 100


@pytest.fixture(scope="module")
def tasks():
    source = ConstraintGrammar()
    return [source.item(3, i, split) for split in SPLITS for i in range(PER_SPLIT)]


def leaves(data):
    if "level" in data:
        return [data]
    inner = data.get("and") or data.get("or") or [data["not"]]
    return [leaf for child in inner for leaf in leaves(child)]


def test_every_witness_solves_and_no_near_miss_does(tasks):
    source = ConstraintGrammar()
    for task in tasks:
        verdict = judge(task.checker, task.witness, task.target)
        assert verdict.success, (task.prompt, task.witness, verdict.problems)
        misses = source.near_misses(task)
        assert len(misses) >= 12
        for miss in misses:
            verdict = judge(task.checker, miss, task.target)
            assert verdict.status == "scored" and verdict.score < 1.0, (task.prompt, miss)


def test_generated_sets_do_work_and_do_not_contradict_themselves(tasks):
    blind = [make_text(rng(i), 1 + i % 4, LAYOUTS[i % 3]).text for i in range(24)]
    passed = 0
    for task in tasks:
        constraints = parse(task.target["constraints"])
        assert 2 <= len(constraints.nodes) <= 3
        assert find_conflict(constraints) is None
        hits = [all(holds(n, Passage(t)) for n in constraints.nodes) for t in blind]
        assert sum(hits) <= 0.6 * len(hits), task.prompt
        passed += sum(judge(task.checker, text, task.target).success for text in blind)
    assert passed / (len(tasks) * len(blind)) < 0.01


def test_the_best_fixed_reply_solves_few_tasks(tasks):
    replies = [make_text(rng(i), 1 + i % 4, LAYOUTS[i % 3]).text for i in range(60)]
    replies += [
        "",
        "I cannot do that.",
        "The man saw a woman, a dog, a boy, a girl, a child and a friend in the garden.",
        "The quick brown fox jumps over the lazy dog.",
    ]
    for reply in replies:
        verdicts = [judge(task.checker, reply, task.target) for task in tasks]
        assert sum(v.success for v in verdicts) <= 0.05 * len(tasks), reply
        assert sum(v.score for v in verdicts) < 0.5 * len(tasks), reply


def test_the_prompt_states_every_constraint(tasks):
    for task in tasks:
        for node in parse(task.target["constraints"]).nodes:
            assert describe(node) in task.prompt
        assert f'"{task.target["floor"]["topic"]}"' in task.prompt
        assert str(task.target["floor"]["max_words"]) in task.prompt
        assert task.witness not in task.prompt and len(task.prompt) < 2000


def test_splits_and_ids(tasks):
    assert len({task.task_id for task in tasks}) == len(tasks)
    source = ConstraintGrammar()
    assert source.item(3, 0, "train") == tasks[0]
    assert source.item(3, PER_SPLIT - 1, "test") == tasks[-1]


def test_equal_under_other_hash_seeds(run_python):
    code = (
        "from corgi_gym.envs import load_family; from corgi_gym.rewards import judge\n"
        "source = load_family('constraints')()\n"
        "for i in range(15):\n"
        "    t = source.item(1, i)\n"
        "    print(t.task_id, repr(t.prompt), t.target, repr(t.witness))\n"
        "    print([judge(t.checker, m, t.target) for m in source.near_misses(t)])\n"
    )
    assert run_python(code, PYTHONHASHSEED="1") == run_python(code, PYTHONHASHSEED="2") != ""


@pytest.mark.parametrize("difficulty", ["easy", "medium", "hard"])
@pytest.mark.parametrize("level", ["character", "word", "sentence", "line", "paragraph"])
def test_options_choose_levels_and_numbers(difficulty, level):
    source = ConstraintGrammar(
        count=(1, 2), levels=[level], difficulty=difficulty, connectives=(), sentences=(2, 4)
    )
    for i in range(4):
        task = source.item(0, i)
        assert judge(task.checker, task.witness, task.target).success
        found = task.target["constraints"]
        assert 1 <= len(found) <= 2 and all("level" in data for data in found)
        for data in found:
            allowed = {level, "word", "sentence", "text"}  # a line may have so many words
            assert data["level"] in allowed
            assert level in (data["level"], data.get("part", {}).get("level")) or (
                data["level"] == "text"
            )


def test_connectives_are_used_when_allowed(tasks):
    kinds = {kind for t in tasks for data in t.target["constraints"] for kind in data}
    assert {"and", "or", "not", "level"} <= kinds
    source = ConstraintGrammar(connectives="not")
    found = [d for i in range(30) for d in source.item(0, i).target["constraints"]]
    assert any("not" in d for d in found) and not any("or" in d or "and" in d for d in found)
    levels = {leaf["level"] for t in tasks for d in t.target["constraints"] for leaf in leaves(d)}
    assert levels == {"text", "paragraph", "line", "sentence", "word", "character"}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"count": (0, 2)}, "count"),
        ({"count": (2, 6)}, "count"),
        ({"count": 3}, "count"),
        ({"sentences": (3, 2)}, "sentences"),
        ({"levels": ["page"]}, "page"),
        ({"levels": []}, "levels"),
        ({"connectives": ["xor"]}, "xor"),
        ({"difficulty": "extreme"}, "extreme"),
        ({"constraints": [{**COUNT, "relation": "approx"}]}, r"constraints\[0\].relation"),
        ({"constraints": [COUNT, SENTENCES]}, r"constraints\[0\].*constraints\[1\].*contradict"),
    ],
)
def test_bad_options_are_named(options, named):
    with pytest.raises(ValueError, match=named):
        GuidedEnv(tasks="constraints", task_options={"constraints": options})


def test_a_users_own_constraints_with_a_witness():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        source = ConstraintGrammar(constraints=[COUNT, LIPOGRAM])
    assert source.witness_known
    solved = [source.item(0, i) for i in range(12)]
    assert len({task.target["floor"]["topic"] for task in solved}) > 3
    for task in solved:
        assert task.target["constraints"] == [COUNT, LIPOGRAM]
        assert task.witness == "" or judge(task.checker, task.witness, task.target).success
    assert sum(task.witness != "" for task in solved) >= 6


def test_a_users_own_constraints_without_one():
    hard = {"level": "word", "at": "each", "transform": "starts", "relation": "==", "value": "s"}
    with pytest.warns(UserWarning, match="no witness is known"):
        source = ConstraintGrammar(constraints={"and": [hard]})
    task = source.item(0, 0)
    assert task.witness == "" and not source.witness_known
    assert all(not judge(task.checker, m, task.target).success for m in source.near_misses(task))


@pytest.mark.parametrize(("least", "most"), [(20, 20), (21, 80), (150, 320), (20_000, 20_000)])
def test_the_limit_of_words_leaves_room_for_a_users_own_constraints(least, most):
    long = {"level": "word", "transform": "count", "relation": ">=", "value": least}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = ConstraintGrammar(constraints=[long])
    limits = {source.item(0, i).target["floor"]["max_words"] for i in range(8)}
    assert min(limits) >= most >= least and source.least_allowed == most


def test_own_prompts_with_the_checker_by_name():
    env = GuidedEnv(
        prompts=[{"prompt": "Write 12 words without y.", "target": [COUNT, LIPOGRAM]}],
        checker="constraint_grammar",
    )
    env.reset()
    message, reward, done, *_ = env.step("You wrote it.")
    assert not done and reward == 0.0
    assert message.startswith("The text has 3 words. The text must have exactly 12 words.")
    assert env.step("One two three four five six one two three four five six")[2]


def test_through_gymnasium_and_what_selects_it():
    assert "constraints" in family_names("ConstrainedGen-v0")
    for role in ("source", "heldout"):
        assert "constraints" not in family_names("ConstrainedGen-v0", role)
    env = gym.make("corgi/Constraints-v0", task_options={"constraints": {"difficulty": "easy"}})
    env.reset(seed=0, options={"index": 0})
    task = env.unwrapped.task_at(0)
    assert env.step("No.")[2] is False
    assert env.step(task.witness)[2] is True


@pytest.mark.parametrize("layout", LAYOUTS)
def test_texts(layout):
    for i in range(40):
        text = make_text(rng(i), 1 + i % 4, layout)
        passage = Passage(text.text)
        assert passage.count("sentence") == 1 + i % 4
        assert all(is_accepted(sentence.text) for sentence in passage.units("sentence"))
        assert text.topics


def rng(seed):
    import numpy as np

    return np.random.default_rng([seed, 7])

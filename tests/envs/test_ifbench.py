"""The rows of IFBench that our kinds can judge: translation, witnesses, what is left out."""

import importlib.util
import json
import warnings
from collections import Counter
from pathlib import Path

import pytest

from corgi_gym.envs.spaces import MAX_OBSERVATION_CHARS
from corgi_gym.envs.tasks.ifbench import TRANSLATED, IFBench
from corgi_gym.envs.tasks.instruction_following import STRICT_NOTE
from corgi_gym.rewards import judge

BLIND = json.loads(
    (Path(__file__).parents[1] / "rewards/data/blind_replies.json").read_text(encoding="utf-8")
)
HAS_ROWS = importlib.util.find_spec("eval_framework") is not None
needs_rows = pytest.mark.skipif(not HAS_ROWS, reason="the wheel with the 300 rows is missing")


def row(kind="count:numbers", values=None, **changes):
    """A row in IFBench's format."""
    made = {
        "key": "1",
        "prompt": "Write about a quiet harbor town. Follow the rule.",
        "instruction_id_list": [kind],
        "kwargs": [{"N": 2.0, "small_n": None} if values is None else values],
    }
    return {**made, **changes}


KEYWORDS = {
    f"keyword{i}": word for i, word in enumerate(("cloud", "rain", "fish", "boat", "net"), start=1)
}


@pytest.fixture(scope="module")
def served():
    """The source, and every row that it serves."""
    source = IFBench()
    sizes = {split: len(drafts) for split, drafts in source.drafts.items()}
    return source, [source.item(0, i, split) for split, n in sizes.items() for i in range(n)]


@needs_rows
def test_every_row_that_is_served_has_a_witness_and_near_misses(served):
    source, tasks = served
    assert len(tasks) + len(source.left_out) == 300
    for task in tasks:
        assert judge(task.checker, task.witness, task.target).success, task.prompt
        misses = source.near_misses(task)
        assert len(misses) >= 1
        for miss in misses:
            verdict = judge(task.checker, miss, task.target)
            assert verdict.status == "scored" and verdict.score < 1.0, (task.prompt, miss)
        assert len(task.prompt) <= MAX_OBSERVATION_CHARS
        assert task.prompt.endswith(STRICT_NOTE)


@needs_rows
def test_rows_are_left_out_for_two_reasons(served):
    source, tasks = served
    reasons = Counter(
        reason.split(" for ")[0].split(" '")[0] for reason in source.left_out.values()
    )
    assert set(reasons) <= {"no kind of ours judges", "no witness was found"}
    kinds = {kind["kind"] for task in tasks for kind in task.target["instructions"]}
    assert len(kinds) == len(TRANSLATED)


@needs_rows
def test_no_prompt_blind_string_earns_full_marks_on_many(served):
    _, tasks = served
    paid = Counter(
        reply
        for task in tasks
        for reply in BLIND
        if judge(task.checker, reply, task.target).success
    )
    assert max(paid.values(), default=0) <= 0.05 * len(tasks), paid.most_common(3)


@pytest.mark.parametrize(
    ("kind", "values", "right", "wrong"),
    [
        ("count:numbers", {"N": 2.0},
         "The harbor town has 30 boats and 2 piers.", "The harbor town has 30 boats."),
        ("count:conjunctions", {"small_n": 2.0},
         "The harbor town is small and old, but it has boats.", "The harbor town is very small."),
        ("count:word_count_range", {"min_words": 7.0, "max_words": 9.0},
         "The harbor town lies quietly by the sea.", "The harbor town is quiet."),
        ("count:unique_word_count", {"N": 7.0},
         "The harbor town lies quietly by our sea.", "The harbor town is the old town."),
        ("count:punctuation", {},
         "A harbor, a town: quiet; is it old? It is! Who knew?! We did.", "A harbor town is old."),
        ("format:sub-bullets", {},
         "* The harbor town is old\n  - it has boats and piers", "* The harbor town is old"),
        ("ratio:sentence_type", {},
         "The harbor is old. The town is quiet. Who lives there?", "The harbor town is old. Why?"),
        ("ratio:stop_words", {"percentage": 30.0},
         "Quiet harbor towns keep many fishing boats near the cold sea.",
         "It is the harbor of the town that we have."),
        ("sentence:increment", {"small_n": 2.0},
         "The harbor is old. The quiet town sleeps all night.", "The harbor is old. So is it."),
        ("sentence:keyword", {"N": 2.0, "word": "iritic"},
         "The harbor town is old. An iritic man lives there.", "An iritic harbor town is old."),
        ("words:last_first", {},
         "The harbor lies by our town. Town life moves slowly and calmly.",
         "The harbor is old. Town life is slow."),
        ("count:keywords_multiple", KEYWORDS,
         "One cloud came to the harbor town with rain and more rain. We saw fish, fish, fish. "
         "A boat, boat, boat, boat, boat. We took a net, net, net, net, net, net, net.",
         "One cloud came to the harbor town with rain."),
    ],
    ids=lambda value: value if isinstance(value, str) and ":" in value and " " not in value else "",
)  # fmt: skip
def test_what_each_kind_asks_for(kind, values, right, wrong):
    given = row(kind, {**values, "unused": None})
    source = IFBench.__new__(IFBench)  # one row may have no witness: here the checker is asked
    source.mode, source.note, source.all_rows, source.left_out = "strict", False, False, {}
    target = super(IFBench, source).draft(given).target
    verdict = judge(IFBench.checker, right, target)
    assert verdict.success, verdict.problems
    assert judge(IFBench.checker, wrong, target).score < 1.0


def test_every_translation_is_tried_above():
    marks = test_what_each_kind_asks_for.pytestmark
    assert {case[0] for case in marks[0].args[1]} == set(TRANSLATED)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"instruction_id_list": ["format:emoji"]}, "no kind of ours judges 'format:emoji'"),
        ({"kwargs": [{"N": None}]}, "'kwargs' of 'count:numbers' lacks 'N'"),
        ({"kwargs": [{"N": "two"}]}, "'number' must be an integer"),
        ({"kwargs": []}, "0 entries for 1"),
        ({"instruction_id_list": [["a"]]}, "must hold names, got ['a']"),
        ({"instruction_id_list": ["count:numbers"] * 2, "kwargs": [{"N": 2}, {"N": 3}]},
         "cannot be satisfied"),
    ],
)  # fmt: skip
def test_bad_rows_are_named_and_good_ones_kept(changes, named):
    with pytest.warns(RuntimeWarning, match="row 2") as caught:
        source = IFBench(data=[row(), row(**{"key": 2, **changes})])
    assert named in str(caught[0].message)
    assert sum(map(len, source.drafts.values())) == 1
    with warnings.catch_warnings(), pytest.raises(ValueError, match="usable row"):
        warnings.simplefilter("ignore")
        IFBench(data=[row(**changes)])

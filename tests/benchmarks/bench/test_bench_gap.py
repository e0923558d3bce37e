"""The gap in a benchmark: a policy that judges its own samples, with scripted policies."""

import itertools
import json

import pytest

from corgi_gym.agents.engines import CharCodec, ScriptedEngine
from corgi_gym.benchmarks import policy
from corgi_gym.benchmarks.bench import runner
from corgi_gym.benchmarks.bench.launch import in_process
from corgi_gym.benchmarks.bench.page import write_page
from corgi_gym.benchmarks.bench.verify import verify

from .conftest import SKILL, WITHOUT_E, script

EVALUATION = {"tasks": 24, "attempts": 2, "resampling": 4, "gap": ["cot_b"]}
RULE = "cot_b>=1"


def sceptical(reply):
    """A policy that knows some of its good replies, and takes no bad one for good."""
    count = itertools.count()

    def answer(conversation):
        asked = str(conversation)
        if "Verdict:" not in asked:
            return reply(f"{conversation}{next(count)}")  # samples of a prompt differ
        return f"I looked.\nVerdict: {'correct' if WITHOUT_E[0] in asked else 'incorrect'}"

    return answer


@pytest.fixture
def judged(scripted, tmp_path, monkeypatch):
    def load(recipe, model=None):
        replies = sceptical(script(SKILL[recipe.algorithm], recipe.seed))
        return policy.Policy(None, None, CharCodec(), ScriptedEngine(replies))

    monkeypatch.setattr(policy, "load_policy", load)
    spec = scripted(evaluations={"test": EVALUATION})
    assert runner.run_bench(spec, tmp_path / "out", in_process, say=lambda line: None) == 0
    return tmp_path / "out"


def test_a_sceptical_judge_has_precision_and_little_recall(judged):
    write_page(judged)
    found = json.loads((judged / "statistics.json").read_text())["evaluations"]["test"]["gap"]
    for arm in ("weak", "strong"):
        numbers = found[arm][RULE]
        gap, low, high = numbers["gap"]
        assert numbers["precision"] == 1.0 and 0.1 < numbers["recall"] < 0.7
        assert gap == pytest.approx(numbers["verified"] - numbers["J"]) and 0 < low <= gap <= high
    # the better a policy is, the less there is left to gain
    assert found["weak"][RULE]["J"] < found["strong"][RULE]["J"]
    for name in ("report.html", "report.md"):
        text = (judged / name).read_text()
        assert (
            "What the policy picks out of its own independent samples" in text and "cot_b" in text
        )
    assert "gap cot_b>=1" in (judged / "results.csv").read_text().splitlines()[0]


def test_numbers_follow_from_the_stored_values(judged):
    assert verify(judged).sound
    path = next(judged.glob("jobs/*/evaluations/test.gap.jsonl"))
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(rows) == 24 * 4 and {row["values"]["cot_b"] for row in rows} == {0.0, 1.0}
    path.write_text("".join(json.dumps({**r, "values": {"cot_b": 1.0}}) + "\n" for r in rows))
    text = verify(judged).text()
    assert "test.gap.jsonl is not the file that was recorded" in text and f"gap.{RULE}" in text
    path.write_text("")
    assert "its files give no metrics.json (KeyError: (0, 0))" in verify(judged).text()


def test_samples_that_are_judged_are_not_judged_again(judged, scripted, monkeypatch):
    folder = next(judged.glob("jobs/*"))
    (folder / "status.json").unlink()

    def load(recipe, model=None):
        raise AssertionError("nothing is left to ask a policy")

    monkeypatch.setattr(policy, "load_policy", load)
    spec = scripted(evaluations={"test": EVALUATION})
    assert runner.run_bench(spec, judged, in_process, say=lambda line: None) == 0
    assert verify(judged).sound


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gap": ["checker:own"]}, r"takes each of mc, cot_b, cot_s once, got \['checker:own'\]"),
        ({"gap": ["mc", "mc"]}, "takes each of mc, cot_b, cot_s once"),
        ({"resampling": 0}, "gap judges independent samples: set resampling"),
    ],
)
def test_bad_plans_name_the_value(scripted, change, words):
    with pytest.raises(ValueError, match=words):
        scripted(evaluations={"test": EVALUATION | change})

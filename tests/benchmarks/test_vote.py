"""Votes: how answers are weighed, and a whole count from sessions to the table."""

import json
import math

import pytest

from corgi_gym.__main__ import _parser, main
from corgi_gym.agents.engines import CharCodec, Sampling, ScriptedEngine
from corgi_gym.agents.engines.base import Completion
from corgi_gym.agents.rollout import Rollout
from corgi_gym.benchmarks import vote
from corgi_gym.benchmarks.display import SilentDisplay
from corgi_gym.benchmarks.policy import Policy
from corgi_gym.benchmarks.recipe import Recipe, load_recipe, override
from corgi_gym.benchmarks.vote import Ballot, count_votes, key_of, run_vote, shares, vote_text
from corgi_gym.envs import GuidedEnv


def ballots(*cast, index=0):
    """Ballots from (answer, confidence); the answer "a" is right."""
    return [Ballot(index, n, a, c, a == "a") for n, (a, c) in enumerate(cast)]


def test_rules():
    cast = ballots(("a", 0.9), ("b", 0.3), ("b", 0.3), ("c", 0.2))
    assert shares(cast) == {"single": 0.25, "majority": 0.0, "confidence": 1.0, "any": 1.0}
    sure_and_wrong = ballots(("a", 0.1), ("a", 0.1), ("b", 0.9))
    assert shares(sure_and_wrong) == {
        "single": 2 / 3, "majority": 1.0, "confidence": 0.0, "any": 1.0,
    }  # fmt: skip


def test_ties_are_chances():
    assert shares(ballots(("a", 0.5), ("b", 0.5)))["majority"] == 0.5
    # nobody is sure of anything: all answers are alike, however many gave them
    nobody = shares(ballots(("a", 0.0), ("b", 0.0), ("b", 0.0)))
    assert nobody["confidence"] == 0.5 and nobody["majority"] == 0.0
    assert shares([]) == dict.fromkeys(vote.RULES, 0.0)


def test_answers_are_compared_by_their_last_line():
    assert key_of("1 + 1 = 2\nAnswer:  2\n\n") == key_of("ANSWER: 2") == "answer: 2"
    assert key_of("\n") == ""


def test_count_by_number_of_samples():
    one = ballots(("b", 0.1), ("a", 0.9), ("b", 0.1), index=0)
    two = ballots(("a", 0.5), ("a", 0.5), ("a", 0.5), index=1)
    rows = count_votes([*one, *two], 3, seed=0)
    assert [row["samples"] for row in rows] == [1, 2, 3]
    values = [[row[name]["value"] for name in vote.RULES] for row in rows]
    assert values[0] == [0.5, 0.5, 0.5, 0.5]
    assert values[1] == [0.75, 0.75, 1.0, 1.0]
    assert values[2] == [pytest.approx(2 / 3), 0.5, 1.0, 1.0]
    change = rows[2]["confidence - majority"]
    assert change["value"] == 0.5 and change["low"] == 0.0 and change["high"] == 1.0


class Sure(ScriptedEngine):
    """Writes the given replies in turn, each with the given probability of its verdict."""

    def __init__(self, replies):
        super().__init__(lambda conversation: "")
        self.replies = replies

    def poll(self):
        done = []
        while self._queue:
            request = self._queue.popleft()
            reply, sure = self.replies[len(self.seen) % len(self.replies)]
            self.seen.append(request.seed)
            ids = self._encode(reply)
            # the word has as many tokens as letters here: each has its part of the probability
            word = len("correct") if "incorrect" not in reply else len("incorrect")
            logps = [-3.0] * (len(ids) - word - 1) + [math.log(sure) / word] * word + [-3.0]
            done.append(Completion(request.id, ids, logps, "stop"))
        return done


@pytest.fixture
def voted(monkeypatch, tmp_path):
    """A function: the result of a vote on two tasks in which replies come in turn."""

    def run(*replies, samples=3, **kwargs):
        engine = Sure(replies)
        engine.seen = []
        policy = Policy(None, None, CharCodec(), engine)
        monkeypatch.setattr(vote, "load_policy", lambda recipe: policy)
        return run_vote(
            recipe(), tmp_path / "vote", samples=samples, display=SilentDisplay(0), **kwargs
        )

    run.folder = tmp_path / "vote"
    return run


def recipe(**changes):
    values = {
        "env.id": "GuidedMath-v0",
        "env.kwargs.tasks": "[word_sorting]",
        "evaluation.tasks": 2,
        "evaluation.attempts": 1,
        "evaluation.env_kwargs": "{self_check: true, session_reward: last}",
        "sampling.max_tokens": 200,
        "sampling.max_length": 5000,
        "engine": "transformers",
        **changes,
    }
    return override(Recipe(), [f"{key}={value}" for key, value in values.items()])


def test_from_sessions_to_the_table(voted):
    answers = [
        ("Answer: x\nVerdict: correct", 0.9),
        ("Answer: y\nVerdict: incorrect", 0.9),
        ("Answer: y\nno verdict", 0.9),
    ]
    result = voted(*answers)
    rows = [json.loads(line) for line in (voted.folder / "samples.jsonl").open()]
    assert [row["confidence"] for row in rows] == [pytest.approx(c) for c in (0.9, 0.1, 0)] * 2
    assert [row["answer"] for row in rows] == ["answer: x", "answer: y", "no verdict"] * 2
    assert result["tasks"] == 2 and result["unscored"] == 0
    assert json.loads((voted.folder / "vote.json").read_text())["votes"] == result["votes"]
    text = vote_text(result)
    assert text.splitlines()[0].split()[:4] == ["samples", "single", "majority", "confidence"]
    assert "2 tasks" in text
    with pytest.raises(FileExistsError, match="or pass --overwrite") as error:
        voted(*answers)
    assert "--resume" not in str(error.value)
    assert voted(*answers, overwrite=True)["votes"] == result["votes"]


def test_right_answers_count_and_failed_checks_do_not(monkeypatch, tmp_path):
    """The sure right answer wins against two wrong ones; one that nobody judged is no vote."""

    def check(reply, target):
        if "?" in reply:
            raise RuntimeError("broken")
        return reply == "Answer: 4"

    env = GuidedEnv(
        prompts=["2 + 2"], checker=check, self_check=True, session_reward="last", max_attempts=1
    )
    replies = [("?\nVerdict: correct", 0.5), ("Answer: 4\nVerdict: correct", 0.9)]
    replies += [("Answer: 5\nVerdict: correct", 0.2)] * 2
    engine = Sure(replies)
    engine.seen = []
    policy = Policy(None, None, CharCodec(), engine)
    monkeypatch.setattr(vote, "load_policy", lambda recipe: policy)
    monkeypatch.setattr(vote, "make_env", lambda recipe, train: env)
    monkeypatch.setattr(vote, "check_inputs", lambda recipe, train: None)
    monkeypatch.setattr(
        vote,
        "make_rollout",
        lambda *args, **kwargs: Rollout(
            lambda: env, engine, policy.codec, Sampling(1.0, 200), max_length=5000, concurrency=1
        ),
    )
    result = run_vote(
        recipe(**{"evaluation.tasks": 1}), tmp_path / "vote", samples=4, display=SilentDisplay(0)
    )
    assert result["unscored"] == 1 and result["tasks"] == 1
    last = {name: result["votes"][-1][name]["value"] for name in vote.RULES}
    assert last == {
        "single": pytest.approx(1 / 3), "majority": 0.0, "confidence": 1.0, "any": 1.0,
    }  # fmt: skip
    # the first ballot that there is counts as the first sample
    assert result["votes"][0]["single"]["value"] == 1.0
    assert "1 sessions left out" in vote_text(result)


def test_a_tiny_model_votes(tiny_folder, tmp_path, capsys):
    """The real engine, by the command."""
    options = {"evaluation.tasks": 2, "evaluation.attempts": 1, "sampling.max_tokens": 8}
    arguments = [part for key, value in options.items() for part in ("--set", f"{key}={value}")]
    out = tmp_path / "vote"
    command = ["vote", "revise", "--model", str(tiny_folder), "--engine", "transformers"]
    assert main([*command, *arguments, "--samples", "2", "--out", str(out)]) == 0
    assert "2 tasks" in capsys.readouterr().out
    assert len((out / "samples.jsonl").read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("changes", "samples", "message"),
    [
        ({}, 1, "--samples must be at least 2"),
        ({"engine": "openai"}, 2, "no log-probs"),
        ({"sampling.temperature": 0}, 2, "temperature must be a finite number, positive"),
        (
            {"evaluation.env_kwargs": "{}"},
            2,
            "self_check=True, as the recipes revise, s2r and self",
        ),
    ],
)
def test_what_no_vote_can_be_made_of(tmp_path, changes, samples, message):
    with pytest.raises(ValueError, match=message):
        run_vote(recipe(**changes), tmp_path / "vote", samples=samples)
    assert not (tmp_path / "vote").exists()


def test_the_default_recipe_and_the_named_ones_can_vote(tmp_path, monkeypatch):
    def stop(recipe):
        raise StopIteration  # where the model would be loaded

    monkeypatch.setattr(vote, "load_policy", stop)
    assert _parser().parse_args(["vote"]).recipe == "revise"
    assert _parser().parse_args(["gap"]).recipe == "quickstart"
    for name in ("revise", "s2r", "self"):
        with pytest.raises(StopIteration):
            run_vote(load_recipe(name), tmp_path / name)

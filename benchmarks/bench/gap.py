"""What a trained policy can pick out of its own samples: the gap, as part of a benchmark.

The samples are the evaluation's independent ones (its resampling); the policy judges each of them
with the verifiers that the plan names (`corgi_gym.benchmarks.gap.verifiers`). Their values are kept
in ``evaluations/NAME.gap.jsonl``, a row per sample, so the numbers follow from files alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corgi_gym.agents.engines.base import Sampling
from corgi_gym.agents.episode import Episode
from corgi_gym.benchmarks.gap.answers import Answers
from corgi_gym.benchmarks.gap.measure import Measured
from corgi_gym.benchmarks.gap.samples import Sample
from corgi_gym.benchmarks.gap.selection import Rule, parse_rule
from corgi_gym.benchmarks.gap.settings import MAX_LENGTH, GapSettings
from corgi_gym.benchmarks.gap.verifiers import DEFAULT_RULES, JudgeModel, Values, make_verifiers
from corgi_gym.benchmarks.policy import Policy, make_env
from corgi_gym.benchmarks.recipe import Recipe
from corgi_gym.benchmarks.run_writer import SilentFolder

# Of a rule, per arm in the report.
NUMBERS = ("J", "verified", "gap", "relative", "precision", "recall")

Json = dict[str, Any]


def samples_of(resampled: Sequence[Episode]) -> list[list[Sample]]:
    """The independent attempts of each session as samples of its prompt."""
    return [
        [Sample.of(episode, number, number) for number in range(len(episode.attempts))]
        for episode in resampled
    ]


def judge_samples(
    recipe: Recipe, policy: Policy, names: Sequence[str], resampled: Sequence[Episode]
) -> str:
    """The policy's values of its own samples, as lines of JSON."""
    sampling = Sampling(0.0, GapSettings().reasoning_tokens)
    model = JudgeModel(policy, sampling, MAX_LENGTH, recipe.seed)
    groups = samples_of(resampled)
    verifiers = make_verifiers(names, model, lambda: make_env(recipe, train=False), rounds=1)
    values = {v.name: v.values(groups, Answers()) for v in verifiers}
    rows = (
        {
            "index": sample.index,
            "number": sample.number,
            "values": {name: values[name][g][n] for name in names},
        }
        for g, group in enumerate(groups)
        for n, sample in enumerate(group)
    )
    return "".join(json.dumps(row) + "\n" for row in rows)


def gap_numbers(path: Path, names: Sequence[str], resampled: Sequence[Episode], seed: int) -> Json:
    """J, gap, precision and so on of each rule (`NUMBERS`), from what `judge_samples` wrote."""
    stored = {
        (row["index"], row["number"]): row["values"]
        for row in SilentFolder(path.parent).rows(path.name)
    }
    groups = samples_of(resampled)
    values: dict[str, Values] = {
        name: [[stored[s.index, s.number][name] for s in group] for group in groups]
        for name in names
    }
    measured = Measured.of(groups, values, rules_of(names), graded=False, seed=seed)
    rules = measured.record()["rules"]
    return {
        rule: {name: found[name] and found[name]["value"] for name in NUMBERS}
        for rule, found in rules.items()
    }


def rules_of(names: Sequence[str]) -> list[Rule]:
    """The rules by which each verifier's values are used."""
    return [parse_rule(rule) for name in names for rule in DEFAULT_RULES[name]]

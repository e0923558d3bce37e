"""One measurement: samples of a policy, verdicts on them, and the numbers of every rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from corgi_gym.agents.engines.base import Sampling
from corgi_gym.benchmarks.display import Display
from corgi_gym.benchmarks.evaluation import evaluation_indices
from corgi_gym.benchmarks.gap.answers import Answers
from corgi_gym.benchmarks.gap.estimator import Judged, estimate, pass_rates
from corgi_gym.benchmarks.gap.samples import Sample, draw_samples
from corgi_gym.benchmarks.gap.selection import Rule, parse_rule
from corgi_gym.benchmarks.gap.settings import GapSettings
from corgi_gym.benchmarks.gap.verifiers import (
    CHECKER,
    Groups,
    JudgeModel,
    Values,
    Verifier,
    make_verifiers,
    tournament_rounds,
)
from corgi_gym.benchmarks.intervals import ratio_intervals
from corgi_gym.benchmarks.policy import Policy, make_env, make_rollout
from corgi_gym.benchmarks.recipe import Recipe
from corgi_gym.benchmarks.run_writer import RunFolder
from corgi_gym.benchmarks.statistics import Estimate

SAMPLES, VERDICTS = "samples.jsonl", "verdicts.jsonl"


@dataclass
class Bench:
    """What all measurements of one run share.

    Attributes:
        recipe: Of the samples.
        settings: How they are verified.
        folder: Where samples and verdicts are kept.
        policy: Generates.
        judge: Verifies; the policy itself unless another model was asked for.
        shown: How it goes.
        judge_weights: Digest of the weights of a local model that verifies for the policy.
    """

    recipe: Recipe
    settings: GapSettings
    folder: RunFolder
    policy: Policy
    judge: Policy
    shown: Display
    judge_weights: str | None = None

    def verifiers(self, *, train: bool = False) -> list[Verifier]:
        """The verifiers of the settings, for samples of evaluation tasks or of training tasks."""
        settings, sampling = self.settings, Sampling(0.0, self.settings.reasoning_tokens)
        model = JudgeModel(self.judge, sampling, self.recipe.sampling.max_length, self.recipe.seed)
        return make_verifiers(
            settings.verifiers,
            model,
            lambda: make_env(self.recipe, train=train),
            rounds=settings.tournament_rounds or tournament_rounds(settings.samples),
            suffix=settings.suffix,
        )

    def rules(self) -> list[Rule]:
        """The rules that were asked for, or those of the verifiers."""
        own = [parse_rule(rule) for v in self.verifiers() for rule in v.rules]
        asked = self.settings.parsed()
        return asked if self.settings.rules else list(dict.fromkeys([*own, *asked]))

    def sample(self, stage: str, *, train: bool, first: int = 0) -> list[list[Sample]]:
        """Samples of the recipe's evaluation tasks, or of as many training tasks from ``first`` on.

        What is on the disk for this ``stage`` is not drawn again.
        """
        count = self.settings.samples
        rollout = make_rollout(self.recipe, self.policy, train=train, sampled=True)
        rollout.sampling = replace(rollout.sampling, top_p=self.settings.top_p)
        wanted = self.recipe.evaluation.tasks
        indices = (
            list(range(first, first + wanted))
            if train
            else evaluation_indices(self.recipe, rollout)
        )
        known = [Sample(**row["sample"]) for row in self._rows(SAMPLES, stage)]
        self.shown.phase(f"{stage}: sampling", len(indices) * count, len(known))

        def keep(sample: Sample) -> None:
            self.folder.append(SAMPLES, {"stage": stage, "sample": sample.record()})
            self.shown.advance()

        try:
            return draw_samples(
                rollout, indices, count, seed=self.recipe.seed, known=known, on_sample=keep
            )
        finally:
            rollout.close()

    def verify(
        self, stage: str, groups: Groups, names: Sequence[str], *, train: bool
    ) -> dict[str, Values]:
        """The values of the named verifiers; what they answered before is not asked again.

        Verdicts that could be of another length, or are of a model that was trained since, are
        other verdicts.
        """
        rows, found = self._rows(VERDICTS, stage), {}
        for verifier in self.verifiers(train=train):
            if verifier.name in names:
                tokens = self.settings.reasoning_tokens if verifier.reasons else None
                asks = not verifier.name.startswith(CHECKER)
                made = {
                    "reasoning_tokens": tokens,
                    "weights": self.judge_weights if asks else None,
                }
                answers = Answers(
                    [row for row in rows if all(row.get(k) == v for k, v in made.items())],
                    keep=partial(self._keep_verdict, stage, made),
                    on_answer=self.shown.advance,
                )
                self.shown.phase(f"{stage}: {verifier.name}", sum(map(len, groups)))
                found[verifier.name] = verifier.values(groups, answers)
        return found

    def _keep_verdict(self, stage: str, made: dict[str, Any], row: dict[str, Any]) -> None:
        self.folder.append(VERDICTS, {"stage": stage, **row, **made})

    def _rows(self, name: str, stage: str) -> list[dict[str, Any]]:
        return [row for row in self.folder.rows(name) if row["stage"] == stage]

    def measure(self, stage: str, rules: Sequence[Rule]) -> Measured:
        """Sample the evaluation tasks, verify, and give the numbers."""
        groups = self.sample(stage, train=False)
        names = list(dict.fromkeys(v for rule in rules for v in rule.verifiers))
        values = self.verify(stage, groups, names, train=False)
        return Measured.of(groups, values, rules, self.settings.graded, self.recipe.seed)


@dataclass
class Measured:
    """The numbers of one measurement.

    Attributes:
        generated: J_x of each prompt with a sample that could be scored, by index.
        pass_at: pass@k by k.
        rules: The estimates of each rule, by its name.
        counts: Prompts, samples, samples that the environment could not score, tokens.
    """

    generated: dict[int, float]
    pass_at: dict[int, Estimate | None]
    rules: dict[str, dict[str, Estimate | None]]
    counts: dict[str, int]

    @classmethod
    def of(
        cls,
        groups: Groups,
        values: dict[str, Values],
        rules: Sequence[Rule],
        graded: bool,
        seed: int,
    ) -> Measured:
        """From samples and what verifiers said of them."""
        scored = [[s for s in group if not s.unscored] for group in groups]
        counts = {
            "prompts": len(groups),
            "samples": sum(map(len, groups)),
            "unscored": sum(s.unscored for group in groups for s in group),
            "tokens": sum(s.tokens for group in groups for s in group),
        }
        by_rule = {
            rule.name: estimate(_judged(groups, values, rule, graded), seed=seed) for rule in rules
        }
        generated = {g[0].index: _mean([_utility(s, graded) for s in g]) for g in scored if g}
        correct = [[s.success for s in group] for group in scored if group]
        return cls(generated, pass_rates(correct, seed=seed), by_rule, counts)

    def record(self) -> dict[str, Any]:
        """As plain data."""
        return {
            **self.counts,
            "pass_at": {str(k): _plain(value) for k, value in self.pass_at.items()},
            "rules": {
                rule: {name: _plain(value) for name, value in found.items()}
                for rule, found in self.rules.items()
            },
        }

    def change(self, before: Measured, seed: int) -> Estimate | None:
        """J minus that of an earlier measurement on the same prompts, with its interval."""
        both = [i for i in self.generated if i in before.generated]
        differences = [self.generated[i] - before.generated[i] for i in both]
        return ratio_intervals({"change": (differences, [1.0] * len(both))}, seed=seed)["change"]


def _judged(groups: Groups, values: dict[str, Values], rule: Rule, graded: bool) -> list[Judged]:
    """What the rule says of the samples that the environment could score."""
    found = []
    for number, group in enumerate(groups):
        places = [i for i, sample in enumerate(group) if not sample.unscored]
        if places:
            own = {name: [values[name][number][i] for i in places] for name in rule.verifiers}
            scored = [group[i] for i in places]
            found.append(
                Judged(
                    [_utility(sample, graded) for sample in scored],
                    [sample.success for sample in scored],
                    rule.keeps(own),
                )
            )
    return found


def _utility(sample: Sample, graded: bool) -> float:
    return sample.score if graded else float(sample.success)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _plain(value: Estimate | None) -> dict[str, float] | None:
    return None if value is None else value._asdict()

"""What a measurement of the gap is about: the recipe of its samples, and how they are verified."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from corgi_gym.benchmarks.gap.selection import Rule, parse_rule
from corgi_gym.benchmarks.gap.verifiers import CHECKER, MODEL_VERIFIERS, NO_CHOICE, check_names
from corgi_gym.benchmarks.recipe import (
    RECIPES,
    EnvSpec,
    EvaluationSpec,
    Recipe,
    SamplingSpec,
    find,
    load_recipe,
)
from corgi_gym.rewards.names import did_you_mean

# The paper samples at 0.7 with a nucleus of 0.9 (Mind the Gap, arXiv 2412.02674, section 3).
TEMPERATURE, TOP_P = 0.7, 0.9
# A question holds the task and up to two replies, an answer some reasoning.
_MAX_TOKENS, MAX_LENGTH = 128, 2048


@dataclass(frozen=True, slots=True)
class GapSettings:
    """How samples are drawn, verified and, with ``improve``, learned from.

    Attributes:
        samples: Replies per prompt, at least 1.
        top_p: Nucleus of the samples.
        verifiers: See `corgi_gym.benchmarks.gap.verifiers`.
        verifier_model: Another model that verifies, by name; None: the policy itself.
        verifier_url: The OpenAI-compatible endpoint of that model, if it is behind one.
        verifier_engine: The engine of a verifier model that is not behind an endpoint.
        rules: What is kept (`selection.parse_rule`); empty: each verifier's own rules.
        reasoning_tokens: Longest answer of a verifier.
        tournament_rounds: 0 leaves about a quarter of the samples.
        graded: Utilities are scores in [0, 1]; otherwise 1 for a solved task and 0 for any other.
        improve: Rounds of self-improvement.
        improve_rule: What a round learns from; "" is the first rule.
        epochs: Passes over what was kept.
    """

    samples: int = 16
    top_p: float = TOP_P
    verifiers: tuple[str, ...] = MODEL_VERIFIERS
    verifier_model: str | None = None
    verifier_url: str | None = None
    verifier_engine: str = "transformers"
    rules: tuple[str, ...] = ()
    reasoning_tokens: int = 160
    tournament_rounds: int = 0
    graded: bool = False
    improve: int = 0
    improve_rule: str = ""
    epochs: int = 1

    def check(self) -> GapSettings:
        """Return self if every value is possible.

        Raises:
            ValueError: Naming the value and what is allowed.
        """
        for name, least in (
            ("samples", 1), ("reasoning_tokens", 1), ("tournament_rounds", 0), ("improve", 0),
            ("epochs", 1),
        ):  # fmt: skip
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)!r}")
        if not 0.0 < self.top_p <= 1.0:
            raise ValueError(f"top_p must be in (0, 1], got {self.top_p!r}")
        check_names(self.verifiers)
        if self.verifier_url and not self.verifier_model:
            raise ValueError("verifier_url needs verifier_model: the model's name there")
        for option, given in (("--improve-rule", self.improve_rule), ("--epochs", self.epochs > 1)):
            if given and not self.improve:
                raise ValueError(
                    f"{option} is for rounds of self-improvement, and there are none: give "
                    f"--improve ROUNDS, or leave {option} out"
                )
        for rule in self.parsed():
            unknown = set(rule.verifiers) - set(self.names)
            if unknown:
                raise ValueError(
                    f"rule {rule.name!r} asks {', '.join(sorted(unknown))}, which is not among the "
                    f"verifiers: {', '.join(self.names)}"
                )
        if self.verifier_url and "mc" in self.verifiers:
            raise ValueError(NO_CHOICE)
        return self

    @property
    def suffix(self) -> str:
        """What the names of verifiers end with that ask another model."""
        return f"@{self.verifier_model}" if self.verifier_model else ""

    @property
    def names(self) -> list[str]:
        """The verifiers' names as rules call them."""
        return [v if v.startswith(CHECKER) else v + self.suffix for v in self.verifiers]

    def parsed(self) -> list[Rule]:
        """The rules that were asked for, the one to learn from last."""
        return [parse_rule(r) for r in dict.fromkeys((*self.rules, self.improve_rule)) if r]

    def fixed(self) -> dict[str, Any]:
        """What samples on the disk depend on, as plain data; all else may change."""
        names = ["samples", "top_p", "improve"]
        if self.improve:  # the policies of earlier rounds are gone, and with them other verdicts
            names += ["verifiers", "verifier_model", "rules", "reasoning_tokens"]
            names += ["tournament_rounds", "improve_rule", "epochs"]
        return {name: value for name, value in asdict(self).items() if name in names}


def gap_recipe(name: str) -> Recipe:
    """The recipe of the samples: a shipped one or a file, or one for an environment id.

    An id may be ``module:Env-v0``, as in Gymnasium: the module is imported to register it.

    Its ``evaluation.tasks`` are the prompts and its ``sampling`` is that of the samples.

    Raises:
        FileNotFoundError: If it is neither; the message names the nearest, and the recipes.
        ValueError: For an environment or a recipe that is none.
    """
    from gymnasium.envs.registration import registry

    if name in registry or (":" in name and not Path(name).exists()):  # module:Env-v0
        sampling = SamplingSpec(TEMPERATURE, _MAX_TOKENS, MAX_LENGTH)
        evaluation = EvaluationSpec(tasks=64, attempts=1)
        return Recipe("gap", env=EnvSpec(name), sampling=sampling, evaluation=evaluation)
    try:
        find(name, Path())
    except FileNotFoundError:
        recipes = sorted(path.stem for path in RECIPES.glob("*.yaml"))
        hint = did_you_mean(name, [*recipes, *registry], ".")
        raise FileNotFoundError(
            f"{name!r} is neither a recipe nor an environment id{hint} Recipes are a YAML file or "
            f"one of: {', '.join(recipes)}; `corgi-gym tasks` lists the environments"
        ) from None
    recipe = load_recipe(name)
    recipe.evaluation.attempts = 1
    recipe.sampling.max_length = max(recipe.sampling.max_length, MAX_LENGTH)
    return recipe

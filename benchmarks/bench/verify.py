"""Is a folder of results what its episodes say? Every answer from the files, none from trust.

1. Hashes: a job's folder is named by its configuration and code version, and no file of results
   differs from the hash recorded when the job ended.
2. Numbers: metrics and statistics are computed again from the episodes and compared.
3. Scores: a sample of episodes is replayed through this installation's environments; every stored
   reply must get the stored score and verdict.

What it cannot see: whether the replies came from the policy that the configuration names.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corgi_gym.agents.episode import Episode
from corgi_gym.agents.running import is_solved
from corgi_gym.benchmarks.bench.analysis import analyse
from corgi_gym.benchmarks.bench.files import JOB, METRICS, STATUS, TRANSCRIPTS, read_mapping
from corgi_gym.benchmarks.bench.identity import code_version, job_id
from corgi_gym.benchmarks.bench.job import job_metrics, manifest, sessions_of
from corgi_gym.benchmarks.bench.page import STATISTICS
from corgi_gym.benchmarks.bench.results import Result, Results, read_results
from corgi_gym.benchmarks.bench.spec import evaluation_recipe
from corgi_gym.benchmarks.recipe import from_dict
from corgi_gym.benchmarks.run_writer import to_json
from corgi_gym.benchmarks.statistics import generator

# Computed again by the same operations, so only the rounding of another numpy may differ.
TOLERANCE = 1e-9
# Differences named per check; the rest are counted.
_NAMED = 10

Json = dict[str, Any]


@dataclass
class Verification:
    """What was checked and what differs, in sentences.

    Attributes:
        checked: Counts of what was checked, by name.
        differences: What is not as it should be.
        notes: What could not be checked as it ideally would.
    """

    checked: dict[str, int] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def text(self) -> str:
        """The result as a person reads it."""
        counts = ", ".join(f"{count} {name}" for name, count in self.checked.items())
        lines = [f"checked {counts}", *(f"note: {note}" for note in self.notes)]
        lines += [f"DIFFERS: {difference}" for difference in self.differences[:_NAMED]]
        if len(self.differences) > _NAMED:
            lines.append(f"... and {len(self.differences) - _NAMED} more differences")
        return "\n".join([*lines, "sound" if self.sound else "NOT sound"])


def verify(
    folder: Path, *, sample: int = 200, seed: int = 0, code: str | None = None, mixed: bool = False
) -> Verification:
    """Check a folder of results.

    Args:
        folder: What `corgi_gym.benchmarks.bench.runner.run_bench` wrote.
        sample: Episodes to replay, drawn from all; 0 replays all.
        seed: Of the sample.
        code: As for `corgi_gym.benchmarks.bench.results.read_results`.
        mixed: As there.

    Raises:
        FileNotFoundError: If it is no such folder.
        ValueError: If there are no results to check, or ``sample`` is negative.
    """
    if sample < 0:
        raise ValueError(f"--sample must be 0 or more, got {sample}")
    results = read_results(folder, code=code, mixed=mixed)
    notes = [note for note in results.notes if note not in results.broken]
    found = Verification(differences=list(results.broken), notes=notes)
    if results.codes != [code_version()]:
        found.notes.append(
            f"the results were made by code {', '.join(results.codes)}, and are checked by code "
            f"{code_version()}: a verifier that has changed since may judge otherwise"
        )
    _check_hashes(results, found)
    _check_numbers(results, found)
    _check_scores(results, found, sample, seed)
    return found


def _check_hashes(results: Results, found: Verification) -> None:
    files = packed = 0
    for result in results.done:
        name, recorded = result.folder.name, _recorded(result)
        if name != (real := job_id(result.config, result.code)):
            found.differences.append(f"{name}: its {JOB} has the hash {real}")
        held = manifest(result.folder)
        files += len(held)
        if TRANSCRIPTS in recorded and TRANSCRIPTS not in held:
            del recorded[TRANSCRIPTS]
            packed += 1
        for path in sorted(recorded.keys() | held.keys()):
            if recorded.get(path) != held.get(path):
                how = "is missing" if path not in held else "is not the file that was recorded"
                found.differences.append(f"{name}: {path} {how}")
    found.checked |= {"jobs": len(results.done), "files": files}
    if packed:
        found.notes.append(
            f"{packed} jobs come without the transcripts of their training ({TRANSCRIPTS}), which "
            "nothing is computed from"
        )


def _recorded(result: Result) -> Json:
    """The hash of each file, as recorded when the job ended."""
    files = (read_mapping(result.folder / STATUS) or {}).get("files")
    return files if isinstance(files, dict) else {}


def _check_numbers(results: Results, found: Verification) -> None:
    count = 0
    for result in results.done:
        try:
            numbers = job_metrics(result.folder)
        except (LookupError, TypeError, ValueError) as error:
            found.differences.append(
                f"{result.folder.name}: its files give no {METRICS} "
                f"({type(error).__name__}: {error})"
            )
            continue
        for where, stored, real in _unequal(result.metrics, numbers):
            found.differences.append(
                f"{result.folder.name}: {where} is {stored} and its episodes say {real}"
            )
        count += 1
    found.checked["metrics"] = count
    path = results.folder / STATISTICS
    try:
        stored = read_mapping(path)
    except ValueError as error:
        found.differences.append(f"{error}; `corgi-gym bench report` writes it anew")
        return
    if stored is None:
        found.notes.append(f"there is no {STATISTICS}: run `corgi-gym bench report` first")
        return
    real = json.loads(to_json(analyse(results, stored.get("seed", 0))))
    for where, told, computed in _unequal(stored, real):
        found.differences.append(f"{STATISTICS}: {where} is {told}, computed again {computed}")
    found.checked["statistics"] = 1


def _unequal(stored: Any, real: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Places where plain data differ, by more than rounding."""
    if isinstance(stored, dict) and isinstance(real, dict):
        for key in sorted(stored.keys() | real.keys()):
            yield from _unequal(stored.get(key), real.get(key), f"{where}.{key}".lstrip("."))
    elif isinstance(stored, list) and isinstance(real, list) and len(stored) == len(real):
        for i, (a, b) in enumerate(zip(stored, real, strict=True)):
            yield from _unequal(a, b, f"{where}[{i}]")
    elif isinstance(stored, float) and isinstance(real, (int, float)):
        if not math.isclose(stored, real, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            yield where, stored, real
    elif stored != real:
        yield where, stored, real


# ---------------------------------------------------------------- replay


def _check_scores(results: Results, found: Verification, sample: int, seed: int) -> None:
    everything = [
        (result, name, resampled, episode)
        for result in results.done
        for name, plan in result.config["evaluations"].items()
        for resampled in ((False, True) if plan["resampling"] else (False,))
        for episode in sessions_of(result.folder, name, resampled)
    ]
    drawn = range(len(everything))
    if 0 < sample < len(everything):
        drawn = sorted(generator(seed, "replay").choice(len(everything), sample, replace=False))
    attempts, made = 0, _Environments()
    for i in drawn:
        result, name, resampled, episode = everything[i]
        attempts += len(episode.attempts)
        for difference in replay(episode, made.of(result, name), independent=resampled):
            kind = f"{name}{' (resampling)' if resampled else ''}"
            found.differences.append(f"{result.folder.name}: {kind}: {difference}")
    made.close()
    found.checked |= {"episodes replayed": len(drawn), "replies judged again": attempts}


def replay(episode: Episode, env: Any, *, independent: bool = False) -> Iterator[str]:
    """Judge the stored replies of an episode again; yields what differs, in sentences.

    Args:
        episode: What was stored.
        env: The environment that it was played in.
        independent: Its attempts were sessions of one attempt each.

    Example:
        >>> from corgi_gym.envs import GuidedEnv
        >>> env = GuidedEnv(prompts=["Say hi."], checker=lambda reply, target: reply == "hi")
        >>> next(replay(Episode("prompts", "another", 0, 0, 0), env))
        'item 0 is another task now (prompts/...), not another'
    """
    options = {"index": episode.index, **({"max_attempts": 1} if independent else {})}
    message, info = env.reset(options=options)
    if info["task_id"] != episode.task_id:
        yield f"item {episode.index} is another task now ({info['task_id']}), not {episode.task_id}"
        return
    if (asked := episode.messages[0]["content"]) != message:
        yield f"the prompt of {episode.task_id} is now {message!r:.80}, and not {asked!r:.80}"
    for number, attempt in enumerate(episode.attempts, start=1):
        if independent:
            env.reset(options=options)
        *_, info = env.step(attempt.reply)
        if number == len(episode.attempts) and attempt.success and is_solved(env):
            info["success"] = True  # the context ended there, and not the environment
        for key in ("score", "success", "unscored"):
            stored = getattr(attempt, key)
            if not math.isclose(stored, info[key], abs_tol=TOLERANCE):
                yield (
                    f"{episode.task_id}, attempt {number}: {key} is stored as {stored}, "
                    f"and its reply gets {info[key]}"
                )


class _Environments:
    """One environment per evaluation of a configuration, made when it is first needed."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def of(self, result: Result, name: str) -> Any:
        from corgi_gym.benchmarks.policy import make_env

        recipe = evaluation_recipe(
            from_dict(result.config["recipe"]), result.config["evaluations"][name]
        )
        key = to_json([recipe.env.id, recipe.env.kwargs, recipe.as_dict()["evaluation"]])
        if key not in self._made:
            self._made[key] = make_env(recipe, train=False)
        return self._made[key]

    def close(self) -> None:
        for env in self._made.values():
            env.close()

"""Is a folder of results what its episodes say? Every answer from the files, none from trust.

1. Hashes: every folder under ``jobs/`` is named by its configuration and code version, and no file
   of results differs from the hash recorded when the job ended.
2. Plan: the jobs and their labels are those of the specification, the sessions those of the
   evaluations (`corgi_gym.benchmarks.bench.replay`).
3. Numbers: metrics and statistics are computed again from the episodes and compared, and
   ``report.md`` and ``results.csv`` written again.
4. Scores: episodes are replayed through this installation's environments; every stored reply must
   get the stored score, verdict and feedback.

What it cannot see is in `TRUST`.
"""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corgi_gym.agents.episode import Episode
from corgi_gym.benchmarks.bench.analysis import analyse
from corgi_gym.benchmarks.bench.files import (
    DONE,
    JOB,
    JOBS,
    METRICS,
    START,
    STATUS,
    TRANSCRIPTS,
    read_job,
    read_mapping,
)
from corgi_gym.benchmarks.bench.identity import code_version, job_id
from corgi_gym.benchmarks.bench.job import job_metrics, manifest
from corgi_gym.benchmarks.bench.page import (
    CSV,
    MARKDOWN,
    REPORT,
    STATISTICS,
    csv_text,
    html,
    markdown,
)
from corgi_gym.benchmarks.bench.planned import plan_differences
from corgi_gym.benchmarks.bench.replay import (
    TOLERANCE,
    Environments,
    Part,
    parts_of,
    replay,
    same_replies,
    unplanned,
)
from corgi_gym.benchmarks.bench.results import Results, read_results
from corgi_gym.benchmarks.run_writer import to_json
from corgi_gym.benchmarks.statistics import generator

# Episodes replayed unless told: all, up to so many (about ten seconds of text checkers).
MOST = 5_000
TRUST = (
    "taken on trust: that the configured policy wrote the replies, their lengths in tokens, what "
    "it said of its own samples (gap), what a start was, and curve, cost and seconds of training"
)
# Another version of the code may say other things of so many replies; more are a difference.
_REWORDED = 0.1
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
        stale: Why the report was not compared: it is of other results than these. None: it was.
    """

    checked: dict[str, int] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stale: str | None = None

    @property
    def sound(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def text(self) -> str:
        """The result as a person reads it."""
        counts = ", ".join(f"{count} {name}" for name, count in self.checked.items())
        lines = [f"checked {counts}", *(f"note: {note}" for note in (*self.notes, TRUST))]
        lines += [f"DIFFERS: {difference}" for difference in self.differences[:_NAMED]]
        if len(self.differences) > _NAMED:
            lines.append(f"... and {len(self.differences) - _NAMED} more differences")
        told = "sound" if self.sound else "NOT sound"
        return "\n".join([*lines, f"{told}, but {self.stale}" if self.stale else told])


def verify(
    folder: Path,
    *,
    sample: int | None = None,
    seed: int | None = None,
    code: str | None = None,
    mixed: bool = False,
) -> Verification:
    """Check a folder of results.

    Args:
        folder: What `corgi_gym.benchmarks.bench.runner.run_bench` wrote.
        sample: Episodes to replay, drawn from all; 0 replays all. By default all, up to `MOST`.
        seed: Of the sample; by default a new one each time, which is told: whoever knows it before
            knows which episodes nobody will look at.
        code: As for `corgi_gym.benchmarks.bench.results.read_results`.
        mixed: As there.

    Raises:
        FileNotFoundError: If it is no such folder.
        ValueError: If there are no results to check, or ``sample`` or ``seed`` is negative.
    """
    for name, value in (("sample", sample), ("seed", seed)):
        if value is not None and value < 0:
            raise ValueError(f"--{name} must be 0 or more, got {value}")
    results = read_results(folder, code=code, mixed=mixed)
    notes = [note for note in results.notes if note not in results.broken]
    found = Verification(differences=list(results.broken), notes=notes)
    if results.codes != [code_version()]:
        found.notes.append(
            f"the results were made by code {', '.join(results.codes)}, and are checked by code "
            f"{code_version()}: a verifier that has changed since may judge otherwise"
        )
    _check_hashes(results, found)
    found.differences += plan_differences(results, found.notes)
    _check_metrics(results, found)
    _check_report(results, found)
    _check_sessions(results, found, MOST if sample is None else sample, seed)
    return found


def _check_hashes(results: Results, found: Verification) -> None:
    """Of every folder: one that another specification has left must be what it says, too."""
    files = packed = count = 0
    for folder in sorted((results.folder / JOBS).glob("*/")):
        try:
            job, status, _ = read_job(folder)
        except ValueError:
            continue  # among what is broken
        if job is None:
            continue
        if folder.name != (real := job_id(job["config"], job["code"])):
            found.differences.append(f"{folder.name}: its {JOB} has the hash {real}")
        start = job["config"].get("start") if isinstance(job["config"], dict) else None
        begun = read_mapping(folder / START)
        if start and begun and begun.get("policy") != (real := job_id(start, job["code"])):
            found.differences.append(f"{folder.name}: its {START} is of another start than {real}")
        recorded = (status or {}).get("files")
        if not isinstance(recorded, dict):
            if (status or {}).get("status") == DONE:
                found.differences.append(f"{folder.name}: its {STATUS} has no hashes of its files")
            continue
        count += 1
        held = manifest(folder)
        files += len(held)
        if TRANSCRIPTS in recorded and TRANSCRIPTS not in held:
            recorded = {name: value for name, value in recorded.items() if name != TRANSCRIPTS}
            packed += 1
        for path in sorted(recorded.keys() | held.keys()):
            if recorded.get(path) != held.get(path):
                how = "is missing" if path not in held else "is not the file that was recorded"
                found.differences.append(f"{folder.name}: {path} {how}")
    found.checked |= {"jobs": count, "files": files}
    if packed:
        found.notes.append(
            f"{packed} jobs come without the transcripts of their training ({TRANSCRIPTS}), which "
            "nothing is computed from"
        )


def _check_metrics(results: Results, found: Verification) -> None:
    count = 0
    for result in results.done:
        try:
            numbers = job_metrics(result.folder)
        except Exception as error:  # whatever damaged files make a measure raise
            found.differences.append(
                f"{result.folder.name}: its files give no {METRICS} "
                f"({type(error).__name__}: {error})"
            )
            continue
        _forget_new(numbers, result.metrics)
        for where, stored, real in _unequal(result.metrics, numbers):
            found.differences.append(
                f"{result.folder.name}: {where} is {stored} and its episodes say {real}"
            )
        count += 1
    found.checked["metrics"] = count


def _forget_new(numbers: Json, stored: Json) -> None:
    """Take out of an evaluation's numbers what was not counted yet when they were stored."""
    for name, found in numbers["evaluations"].items():
        held = stored["evaluations"].get(name, {})
        for new, old in ((found, held), (found.get("resampling", {}), held.get("resampling", {}))):
            if "no_room" not in old:
                new.pop("no_room", None)


# ---------------------------------------------------------------- the report


def _check_report(results: Results, found: Verification) -> None:
    """Statistics and what people read of them, as they are computed again."""
    anew = "`corgi-gym bench report` writes it anew"
    try:
        stored = read_mapping(results.folder / STATISTICS)
    except ValueError as error:
        found.differences.append(f"{error}; {anew}")
        return
    real = json.loads(to_json(analyse(results)))
    texts = {
        name: _as_written(text).decode()
        for name, text in ((MARKDOWN, markdown(real)), (CSV, csv_text(results)))
    }
    kept = [name for name in texts if (results.folder / name).is_file()]
    if stored is None and not kept:
        found.notes.append(f"there is no {STATISTICS}: run `corgi-gym bench report` first")
        return
    if stored is None:
        found.differences.append(f"{STATISTICS} is missing beside {kept[0]}; {anew}")
        return
    if (older := _older(stored, real)) is not None:
        found.stale = older
        return
    for where, told, computed in _unequal(stored, real):
        found.differences.append(f"{STATISTICS}: {where} is {told}, computed again {computed}")
    for name in kept:
        text = (results.folder / name).read_text(encoding="utf-8", errors="replace")
        if (line := _first_change(text, texts[name])) is not None:
            found.differences.append(f"{name}: {line}; {anew}")
    page = results.folder / REPORT
    if page.is_file() and page.read_bytes() != _as_written(html(results, real)):
        # its pictures may be those of another version, which changes no number
        found.notes.append(f"{REPORT} is not what is written here from these results; {anew}")
    found.checked |= {"statistics": 1, "texts": len(kept)}


def _as_written(text: str) -> bytes:
    """As `RunFolder.replace` writes it."""
    return text.encode("utf-8", "backslashreplace")


def _older(stored: Json, real: Json) -> str | None:
    """Words on a report of other results than these; None for one of these."""
    if stored.get("made_of") == real["made_of"]:
        return None
    if "made_of" not in stored:  # nor would it have the numbers of today
        what = "the report is of an older version of this package"
    else:
        what = (
            f"the report is older than the results (it is of {stored.get('jobs')} jobs as they "
            f"were then, here are {real['jobs']})"
        )
    return f"{what} and was not compared: run `corgi-gym bench report`, and verify again"


def _first_change(stored: str, real: str) -> str | None:
    """Where two texts differ first, in words."""
    if stored == real:
        return None
    lines, others = stored.split("\n"), real.split("\n")
    pairs = zip([*lines, None], [*others, None], strict=False)
    number, (told, computed) = next(
        (n, pair) for n, pair in enumerate(pairs, start=1) if pair[0] != pair[1]
    )
    return f"line {number} is {told!r:.120}, written again {computed!r:.120}"


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


# ---------------------------------------------------------------- sessions


def _check_sessions(results: Results, found: Verification, sample: int, seed: int | None) -> None:
    """All sessions against the plan, and those drawn against what their replies get."""
    made, everything = Environments(), []
    held: list[tuple[Part, list[Episode]]] = []
    for part in parts_of(results.done):
        sessions = part.sessions()
        held.append((part, sessions))
        try:
            items = made.items(part.recipe)
        except Exception as error:  # an environment that is not here, or cannot be made
            found.differences.append(f"{part}: cannot be replayed ({error})")
            continue
        found.differences += [f"{part}: {odd}" for odd in unplanned(part, sessions, items)]
        everything += [(part, episode) for episode in sessions]
    found.differences += same_replies(held)
    drawn = range(len(everything))
    if 0 < sample < len(everything):
        seed = secrets.randbits(32) if seed is None else seed
        drawn = sorted(generator(seed, "replay").choice(len(everything), sample, replace=False))
        found.notes.append(
            f"{sample} of {len(everything)} episodes were replayed, drawn with --seed {seed}; "
            "--sample 0 replays all"
        )
    attempts, words = 0, []
    for i in drawn:
        part, episode = everything[i]
        attempts += len(episode.attempts)
        env, room = made.of(part.recipe), made.room(part.recipe)
        for odd in replay(episode, env, independent=part.resampled, room=room):
            (words if odd.words else found.differences).append(f"{part}: {odd.text}")
    made.close()
    for model, count in made.unknown.items():
        found.notes.append(
            f"{count} sessions end early, as they do where the context is full; that was not "
            f"checked, since the tokenizer of {model!r} is not on this machine"
        )
    _tell_words(results, found, words, attempts)
    found.checked |= {"episodes replayed": len(drawn), "replies judged again": attempts}


def _tell_words(results: Results, found: Verification, words: list[str], replies: int) -> None:
    """Feedback that differs: by the same code it was changed; another may say things otherwise."""
    if not words or results.codes == [code_version()] or len(words) > _REWORDED * replies:
        found.differences += words
        return
    found.notes.append(
        f"the feedback or problems of {len(words)} of {replies} replies are worded otherwise by "
        f"this code, with the same scores, such as {words[0]}"
    )

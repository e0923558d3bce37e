"""The figures of a report: each a chart, what it shows in words, and its numbers as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from corgi_gym.agents.episode import Episode
from corgi_gym.benchmarks.charts import (
    Curve,
    Rounds,
    Series,
    problem_chart,
    round_chart,
    stacked_chart,
    success_chart,
    top_of,
    window,
)
from corgi_gym.benchmarks.intervals import wilson
from corgi_gym.benchmarks.recipe import evaluates_training_prompts
from corgi_gym.benchmarks.run_folder import Phase, Run, number, numbers, section
from corgi_gym.benchmarks.svg import Plot, percent, percent_tick, short

CURVE_SIZE, FAMILY_SIZE = (440, 330), (400, 290)
# Problem kinds shown as bars; the table has all.
MAX_KINDS = 8
MAX_TABLE_ROUNDS = 200
# Of a round's row: its number, and what has a section of its own.
_NO_COLUMN = ("step", "curriculum")


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with its caption (HTML) and its table (HTML, folded)."""

    picture: str
    caption: str
    numbers: str = ""

    def html(self, main: bool = False) -> str:
        """The figure as an HTML element; the main one is wide, and its table stands open."""
        css, unfolded = (' class="main"', " open") if main else ("", "")
        folded = self.numbers and (
            f"<details{unfolded}><summary>Numbers</summary>{self.numbers}</details>"
        )
        return (
            f"<figure{css}>{self.picture}"
            f"<div><figcaption>{self.caption}</figcaption>{folded}</div></figure>"
        )


def table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """An HTML table that scrolls sideways by itself; the first cell of a row is its header."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


# ---------------------------------------------------------------- success by attempt


def curve_of(run: Run) -> Figure:
    """Success by attempt, before and after, over all tasks of the evaluation."""
    curves = [_curve(p, run) for p in run.phases.values()]
    title = "Success by attempt"
    if not curves:
        why = "No evaluation was recorded, or nothing in it could be checked."
        empty = Plot(title, CURVE_SIZE)
        empty.text(0, empty.top, why, "small")
        return Figure(empty.svg(f"{title}. {why}"), "Nothing to show yet.")
    counts = " and ".join(sorted({str(p.n) for p in run.phases.values()}))
    split = section(run.config, "evaluation").get("split", "test")
    tasks = f"{counts} {split} tasks"
    if _on_training_prompts(run):
        tasks = f"{counts} tasks, the training prompts themselves,"
    how = "greedy decoding; each retry follows the checker's feedback"
    if not run.trains:
        how += ", or as many samples that know nothing of each other (nothing was trained)"
    caption = (
        f"Share of {escape(tasks)} solved within 1, 2, … attempts, {how}. Whiskers: 95% Wilson "
        "score intervals over tasks. They cover the choice of tasks, not what another training "
        "seed would give: this is one run."
    )
    picture = success_chart(f"{title}, n = {counts} tasks", curves, _top(curves), CURVE_SIZE)
    return Figure(picture, caption, _curve_table(list(run.phases.values()), curves))


def _on_training_prompts(run: Run) -> bool:
    """Whether the tasks of the evaluation are those of the training, as far as that is recorded."""
    kwargs = section(section(run.config, "env"), "kwargs")
    own = section(section(run.config, "evaluation"), "env_kwargs")
    return evaluates_training_prompts(
        {"env": {"kwargs": kwargs}, "evaluation": {"env_kwargs": own}}
    )


def family_figures(run: Run) -> list[str]:
    """The same for each task family, on one common axis; [] for a single family."""
    families = sorted({e.task for p in run.phases.values() for e in p.episodes})
    if len(families) < 2:
        return []
    parts = {
        family: [part for p in run.phases.values() if (part := _only(p, family, run.attempts)).n]
        for family in families
    }
    curves_of = {
        family: [_curve(p, run) for p in found] for family, found in parts.items() if found
    }
    top = max(map(_top, curves_of.values()), default=1.0)
    figures = []
    for family, curves in curves_of.items():
        found = parts[family]
        counts = " and ".join(sorted({str(p.n) for p in found}))
        picture = success_chart(family.replace("_", " "), curves, top, FAMILY_SIZE)
        figure = Figure(picture, f"n = {counts} tasks", _curve_table(found, curves))
        figures.append(figure.html())
    return figures


def _only(phase: Phase, family: str, attempts: int) -> Phase:
    return Phase.of(phase.name, [e for e in phase.episodes if e.task == family], attempts)


def _curve(phase: Phase, run: Run) -> Curve:
    bounds = [wilson(share, phase.n) if phase.n else (share, share) for share in phase.success]
    return Curve(run.titles[phase.name], phase.name, phase.success, bounds)


def _top(curves: Sequence[Curve]) -> float:
    """The upper end of the axis, over the highest whisker."""
    return top_of([high for c in curves for _, high in c.bounds])


def _curve_table(phases: Sequence[Phase], curves: Sequence[Curve]) -> str:
    rows = [
        (str(k), *(_share_cell(c, k) for c in curves))
        for k in range(1, max(len(c.values) for c in curves) + 1)
    ]
    counts = ", ".join(f"n = {p.n} {p.name}" for p in phases)
    header = ("attempts", *(c.name for c in curves))
    return table(f"Share of tasks solved, 95% interval; {counts}", header, rows)


def _share_cell(curve: Curve, k: int) -> str:
    if k > len(curve.values):
        return "–"
    low, high = curve.bounds[k - 1]
    return f"{percent(curve.values[k - 1])} ({100 * low:.1f} to {100 * high:.1f})"


# ---------------------------------------------------------------- training


def training_figures(run: Run) -> list[str]:
    """Charts of the quantities that were recorded per round."""
    rounds = run.rounds
    if not rounds:
        return []
    axis = Rounds([round_number(row) for row in rounds], minutes(rounds))
    # nobody sampled a demonstration: that it solves its task says nothing of the policy
    sampled = [row if row.get("demonstrations") != 1 else {} for row in rounds]
    success = [numbers(row.get("success")) for row in sampled]
    k = max(map(len, success))
    left_out = " Rounds of demonstrations are left out." if {} in sampled else ""
    mean = f" Line: mean of {w} rounds; dots: rounds." if (w := window(len(rounds))) > 1 else ""
    figures: list[Figure] = []

    def chart(
        title: str,
        measure: str,
        caption: str,
        *series: Series,
        form: Callable[[float], str] = short,
    ) -> None:
        if any(v is not None for s in series for v in s.values):
            known = [s for s in series if any(v is not None for v in s.values)]
            figures.append(Figure(round_chart(title, measure, known, axis, form), caption + mean))

    def column(
        name: str, key: str, role: str = "after", *, of: Sequence[Mapping[str, object]] = sampled
    ) -> Series:
        return Series(name, role, [number(row.get(key)) for row in of])

    chart(
        "Session reward", "mean reward of a session",
        f"Sampled training sessions.{left_out}", column("reward", "reward"),
    )  # fmt: skip
    chart(
        "Success in training", "share of sessions solved",
        "Sampled at the training temperature: not comparable with the greedy evaluation."
        f"{left_out}",
        Series("at the first attempt", "third", [s[0] if s else None for s in success]),
        Series(f"within {k} attempts", "after", [s[-1] if s else None for s in success]),
        form=percent_tick,
    )  # fmt: skip
    chart(
        "Repeats", "share of retries",
        f"Retries that repeat the reply before them word for word.{left_out}",
        column("repeats", "repeats"),
        form=percent_tick,
    )  # fmt: skip
    chart(
        "What teaches nothing", "share",
        "Tasks whose sessions all earned the same (as the method compares them), replies cut at "
        f"the token limit, and attempts that the checker failed on.{left_out}",
        column("equal tasks", "zero_variance"),
        column("cut replies", "truncated", "third"),
        column("unscored attempts", "unscored_share", "fourth"),
        form=percent_tick,
    )  # fmt: skip
    generate = column("generating", "rollout_seconds", of=rounds)
    train = column("training", "train_seconds", of=rounds)
    generate = Series("generating", "third", generate.values)
    train = Series("training", "fourth", train.values)
    if any(v is not None for v in (*generate.values, *train.values)):
        picture = stacked_chart("Seconds per round", "seconds", generate, train, axis)
        figures.append(Figure(picture, "Where the time of a round goes."))
    chart(
        "Tokens per round", "tokens", f"Tokens that the model wrote.{left_out}",
        column("tokens", "tokens"),
    )  # fmt: skip
    chart(
        "Generation speed", "tokens per second",
        "All sessions of a round together, with those that score a curriculum's pool.",
        column("tokens per second", "tokens_per_second"),
    )  # fmt: skip
    chart(
        "Engine against trainer", "mean |difference of log p|",
        "The same tokens under the engine that sampled them and the trainer. A rise means that "
        "the weights are out of step.", column("difference", "mismatch", of=rounds),
    )  # fmt: skip
    chart(
        "Entropy", "nats per token", "Falling to zero means that exploration has ended.",
        column("entropy", "entropy", of=rounds),
    )  # fmt: skip
    return [f.html() for f in figures]


def round_number(row: Mapping[str, Any]) -> int:
    """The number of a row's round, from 1 as the display counts; a row counts those before it."""
    return int(row["step"]) + 1


def minutes(rounds: Sequence[Mapping[str, object]]) -> list[float | None]:
    """Minutes since the start at the end of each round; None where that was not recorded."""
    elapsed = [number(row.get("elapsed")) for row in rounds]
    return [None if seconds is None else seconds / 60 for seconds in elapsed]


def round_table(run: Run) -> str:
    """All recorded numbers per round, folded; long runs show every n-th round."""
    if not run.rounds:
        return ""
    every = -(-len(run.rounds) // MAX_TABLE_ROUNDS)
    keys = list(dict.fromkeys(key for row in run.rounds for key in row if key not in _NO_COLUMN))
    rows = [
        [str(round_number(row)), *(_cell(row.get(key)) for key in keys)]
        for row in run.rounds[::every]
    ]
    which = "Every round" if every == 1 else f"Every {every}th round"
    numbers_ = table(which, ["round", *(key.replace("_", " ") for key in keys)], rows)
    return f"<details><summary>Numbers of all rounds</summary>{numbers_}</details>"


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_cell(v) for v in value)
    found = number(value)
    return "–" if found is None else short(found)


# ---------------------------------------------------------------- problems


def problem_figures(run: Run) -> list[str]:
    """Which kinds of problem replies have: in first replies, and in those that ended unsolved."""
    phases = [p for p in run.phases.values() if p.n and p.episodes]
    if not phases:
        return []
    places = {"first": "In the first reply", "last": "Still there in the last reply"}
    shares = {
        which: {p.name: _shares(p, 0 if which == "first" else -1) for p in phases}
        for which in places
    }
    scale = max(
        (v for found in shares.values() for s in found.values() for v in s.values()), default=1
    )
    return [
        _problem_figure(title, which, shares[which], scale, run.titles)
        for which, title in places.items()
    ]


def _shares(phase: Phase, attempt: int) -> dict[str, float]:
    """Share of tasks whose reply at ``attempt`` has each kind of problem."""
    counts: Counter[str] = Counter()
    counted = [e for e in phase.episodes if not e.unscored]
    for episode in counted:
        counts.update(_kinds(episode, attempt))
    return {kind: count / len(counted) for kind, count in counts.items()}


def _kinds(episode: Episode, attempt: int) -> set[str]:
    found = episode.attempts[attempt].problems if episode.attempts else []
    return {str(p["kind"]) for p in found if isinstance(p, dict) and "kind" in p}


def _problem_figure(
    title: str,
    which: str,
    shares: dict[str, dict[str, float]],
    scale: float,
    titles: Mapping[str, str],
) -> str:
    kinds = sorted(
        {kind for found in shares.values() for kind in found},
        key=lambda kind: (-max(found.get(kind, 0.0) for found in shares.values()), kind),
    )
    if not kinds:
        return Figure("", f"{escape(title)}: no problem at all.").html()
    bars = [
        (kind, [(name, titles[name], found.get(kind, 0.0)) for name, found in shares.items()])
        for kind in kinds
    ]
    rows = [(kind, *(percent(share) for _, _, share in found)) for kind, found in bars]
    caption = f"Share of tasks whose {which} reply has this problem; a reply can have several."
    if len(kinds) > MAX_KINDS:
        caption += f" The {MAX_KINDS} most frequent of {len(kinds)} kinds; the table has all."
    return Figure(
        problem_chart(title, bars[:MAX_KINDS], scale),
        caption,
        table(title, ("problem", *(titles[name] for name in shares)), rows),
    ).html()

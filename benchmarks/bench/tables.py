"""The tables of a benchmark as rows of text: the same in HTML, in Markdown and on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from corgi_gym.benchmarks.bench.analysis import ALPHA
from corgi_gym.benchmarks.svg import percent
from corgi_gym.rewards.text import listing

NONE = "–"
# With fewer the report says how far the bootstrap's intervals are off.
_ENOUGH_SEEDS = 5

Json = dict[str, Any]


class Table(NamedTuple):
    """A caption, the names of the columns, and rows of text."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """The table in Markdown; without rows only its caption."""
        if not self.rows:
            return f"**{self.caption}**\n"
        lines = [self.header, ["---"] * len(self.header), *self.rows]
        body = "\n".join(f"| {' | '.join(map(_cell, r))} |" for r in lines)
        return f"**{self.caption}**\n\n{body}\n"


def _cell(text: str) -> str:
    """Text that stays in its cell: in one line, without what divides cells."""
    return " ".join(text.replace("|", "/").split())


def leaderboard(evaluation: Json) -> Table:
    """Arms by success, best first; numbers that would stand there twice stand there once."""
    k, last = evaluation["rank"], evaluation["attempts"]
    columns: list[tuple[str, Callable[[Json], str]]] = [
        ("arm", lambda row: row["arm"]),
        ("runs", _runs),
        ("success@1", lambda row: percent(row["first"][0])),
        (f"success@{k} (95% interval)", lambda row: with_interval(row["mean"])),
        ("IQM (95% interval)", lambda row: with_interval(row["iqm"])),
        (f"success@{last}", lambda row: percent(row["last"])),
        ("gained by retrying", lambda row: percent(row["gain"])),
        ("of each seed", lambda row: " ".join(map(percent, row["of_seeds"])) or NONE),
        ("mean best score", lambda row: f"{row['mean_score']:.3f}"),
        ("exploits in solved replies", lambda row: exploits(row["exploits"])),
    ]
    twice = {"success@1"} if k == 1 else {f"success@{last}"} if k == last else set()
    twice |= {"gained by retrying"} if last == 1 else set()
    if not any(row["of_seeds"] for row in evaluation["leaderboard"]):
        twice |= {"of each seed"}
    shown = [(name, cell) for name, cell in columns if name not in twice]
    rows = [[cell(row) for _, cell in shown] for row in evaluation["leaderboard"]]
    return Table(f"Ranked by success {within(k)}", [name for name, _ in shown], rows)


def few_seeds(evaluation: Json) -> str:
    """That intervals over few seeds are too short; empty where every arm has enough or none."""
    few = {
        row["seeds"]
        for row in evaluation["leaderboard"]
        if None not in row["mean"] and row["seeds"] < _ENOUGH_SEEDS
    }
    if not few:
        return ""
    return (
        f"Bootstrap intervals over {' or '.join(map(str, sorted(few)))} seeds are too short: over "
        "3 seeds of one family about 73% of them hold the truth, over 5 about 84% "
        "(docs/benchmark.md)."
    )


def no_room(evaluation: Json) -> str:
    """How many sessions the context ended before their last attempt; empty where none."""
    found = [
        f"{row['no_room'][0]} of {row['no_room'][1]} of {row['arm']}"
        for row in evaluation["leaderboard"]
        if row["no_room"] and row["no_room"][0]
    ]
    if not found:
        return ""
    return (
        f"Sessions that ended unsolved before attempt {evaluation['attempts']}, since the context "
        f"was full (sampling.max_length): {', '.join(found)}. Success within more attempts is "
        "theirs without these."
    )


def _runs(row: Json) -> str:
    """How many runs an arm has; with more seeds in some families these still count alike."""
    fewest, most = row["seeds"], row["most_seeds"]
    told = "" if fewest == most else f" (unequal: {fewest} to {most} seeds a family)"
    return f"{row['runs']}{told}"


def within(attempts: int) -> str:
    """In words.

    Example:
        >>> within(1), within(4)
        ('at the first attempt', 'within 4 attempts')
    """
    return "at the first attempt" if attempts == 1 else f"within {attempts} attempts"


def comparisons(evaluation: Json) -> list[Table]:
    """Each arm against each reference; empty where there is nothing to compare."""
    tables = (t for t in evaluation["against"] if t["comparisons"] or t["not_compared"])
    return [_comparisons(evaluation, against) for against in tables]


def _comparisons(evaluation: Json, against: Json) -> Table:
    k = evaluation["rank"]
    header = [
        "arm", f"change of success@{k}, points (95% over seeds)", "p", "p (Holm)", "separated",
        "probability of improvement", "points on the same tasks (95% over tasks)", "seeds",
    ]  # fmt: skip
    rows = [
        [
            row["arm"],
            points(row["change"], *row["interval"]),
            # with too few seeds nothing was tested
            *(NONE if None in row["interval"] else p_value(row[key]) for key in ("p", "p_holm")),
            "yes" if row["p_holm"] <= ALPHA else "no",
            _probability(row["better"], max(row["runs"])),
            points(*row["on_tasks"]) if row["on_tasks"] else NONE,
            " and ".join(map(str, dict.fromkeys(row["runs"]))),
        ]
        for row in against["comparisons"]
    ]
    lost = [row["left_out"] for row in against["comparisons"]]
    if any(lost):
        header.append("tasks left out (not checked in every run)")
        rows = [[*row, str(count)] for row, count in zip(rows, lost, strict=True)]
    reference = against["reference"]
    caption = f"Compared with {reference}"
    if missing := against["not_compared"]:
        known = any(row["arm"] == reference for row in evaluation["leaderboard"])
        why = "no task and seed is common" if known else f"{reference} has no result"
        caption += f" (not compared, since {why}: {', '.join(missing)})"
    return Table(caption, header, rows)


def above_all(evaluation: Json) -> str:
    """Which arms are above every reference, in words; "" where there is one reference."""
    ahead = evaluation["above_all"]
    if ahead is None:
        return ""
    references = listing([against["reference"] for against in evaluation["against"]], "and")
    tests = sum(len(against["comparisons"]) for against in evaluation["against"])
    told = listing(ahead, "and") if ahead else "none"
    return (
        f"Separated above each of {references}: {told}. P-values are corrected by Holm for the "
        f"{tests} comparisons of these tables together."
    )


def rates(evaluation: Json) -> Table | None:
    """What retries do, per arm: over all attempts; None where there are none."""
    if evaluation["attempts"] == 1:
        return None
    rows = []
    for arm, found in evaluation["rates"].items():
        total = sum(found["retries"])
        overall = [
            sum((share or 0.0) * n for share, n in zip(found[name], found["retries"], strict=True))
            for name in ("fix", "regress", "repeat")
        ]
        cells = [percent(value / total) if total else NONE for value in overall]
        rows.append([arm, f"{total:,}", *cells])
    header = ["arm", "retries", "solve the task", "score less than before", "repeat word for word"]
    return Table("What retries do, all attempts together", header, rows)


def costs(statistics: Json) -> Table:
    """What training cost, and what the target cost, per arm."""
    target = statistics["target"]
    rows = [
        [
            arm,
            f"{cost['steps']:,.0f}",
            f"{cost['sessions']:,.0f}",
            f"{cost['tokens']:,.0f}",
            f"{cost['train_seconds']:,.0f}",
            f"{cost['reached']} of {cost['runs']}",
            _whole(cost["tokens_to_target"]),
            _whole(cost["seconds_to_target"]),
        ]
        for arm, cost in statistics["cost"].items()
        if cost
    ]
    header = [
        "arm", "rounds", "sessions", "tokens", "seconds", f"runs that reached {percent(target)}",
        "tokens to it (median)", "seconds to it (median)",
    ]  # fmt: skip
    caption = (
        "Cost of training, mean of the runs (a budget ends with the round that reaches it; the "
        "target is looked for where the policy was evaluated, after equal rounds, not equal tokens)"
    )
    return Table(caption, header, rows)


def dose(evaluation: Json) -> Table | None:
    """Success by feedback level; None where there is one level only."""
    levels = list(dict.fromkeys(level for found in evaluation["dose"].values() for level in found))
    rows = [
        [entry, *(with_interval(found[level]) if level in found else NONE for level in levels)]
        for entry, found in evaluation["dose"].items()
    ]
    caption = f"Success {within(evaluation['rank'])} by feedback level in training"
    return Table(caption, ["algorithm", *levels], rows) if rows else None


def by_family(evaluation: Json) -> Table | None:
    """Success per family of the tasks, with the lowest and highest run; None for one family."""
    found = evaluation["families"]
    names = list(dict.fromkeys(name for cells in found.values() for name in cells["tested"]))
    if len(names) < 2:
        return None
    rows = [
        [arm, *(_in_range(cells["tested"].get(n), cells["runs"].get(n, [])) for n in names)]
        for arm, cells in found.items()
    ]
    caption = (
        f"Success {within(evaluation['rank'])} by family of the task: mean of the runs "
        "(lowest and highest)"
    )
    return Table(caption, ["arm", *names], rows)


def gaps(evaluation: Json) -> Table | None:
    """What each arm picks out of its own samples; None where that was not measured."""
    rows = [
        [
            arm,
            rule,
            percent(found["J"]),
            percent(found["verified"]),
            points(*found["gap"]),
            *(share(found[name]) for name in ("relative", "precision", "recall")),
        ]
        for arm, rules in evaluation["gap"].items()
        for rule, found in rules.items()
    ]
    header = [
        "arm", "kept if", "samples that solve", "of those kept", "gap, points (95% interval)",
        "relative gap", "precision", "recall",
    ]  # fmt: skip
    caption = "What the policy picks out of its own independent samples"
    return Table(caption, header, rows) if rows else None


def share(value: float | None) -> str:
    """A share in percent; one that does not exist is a dash."""
    return NONE if value is None else percent(value)


def _probability(estimate: Sequence[float], seeds: int) -> str:
    value, low, high = estimate
    return f"{value:.2f} " + (f"({low:.2f} to {high:.2f})" if seeds > 1 else "(too few seeds)")


def with_interval(estimate: Sequence[float | None]) -> str:
    """A share with its interval, of which nothing is known where no family has two seeds.

    Example:
        >>> with_interval([0.5, 0.4, 0.6]), with_interval([0.5, None, None])
        ('50.0% (40.0 to 60.0)', '50.0% (one seed)')
    """
    value, low, high = estimate
    assert value is not None
    if low is None or high is None:
        return f"{percent(value)} (one seed)"
    return f"{percent(value)} ({100 * low:.1f} to {100 * high:.1f})"


def _in_range(value: float | None, runs: Sequence[float]) -> str:
    """A mean over runs, with the lowest and highest of them."""
    if value is None:
        return NONE
    if len(runs) == 1:
        return f"{percent(value)} (one run)"
    return f"{percent(value)} ({100 * min(runs):.1f} to {100 * max(runs):.1f})"


def points(change: float, low: float | None, high: float | None) -> str:
    """A difference of shares in percentage points.

    Example:
        >>> points(0.05, -0.01, 0.11), points(0.05, None, None)
        ('+5.0 (-1.0 to +11.0)', '+5.0 (too few seeds)')
    """
    if low is None or high is None:
        return f"{100 * change:+.1f} (too few seeds)"
    return f"{100 * change:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def p_value(p: float) -> str:
    """A p-value in four digits.

    Example:
        >>> p_value(0.04), p_value(1e-9)
        ('0.0400', '<0.0001')
    """
    return f"{p:.4f}" if p >= 0.0001 else "<0.0001"


def exploits(found: Json) -> str:
    """How many paid replies the audit would call an exploit."""
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(found["kinds"].items()))
    return f"{found['found']} of {found['looked_at']}" + (f" ({kinds})" if kinds else "")


def _whole(value: float | None) -> str:
    """A number without its fraction; one that does not exist is a dash."""
    return NONE if value is None else f"{value:,.0f}"

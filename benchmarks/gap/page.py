"""What ``corgi-gym gap`` found, as Markdown and as a page of its own; both from ``gap.json``."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from corgi_gym.benchmarks.figures import Figure, table
from corgi_gym.benchmarks.gap.charts import (
    ROLES,
    Line,
    Number,
    line_chart,
    rule_chart,
    said,
    shown_rounds,
)
from corgi_gym.benchmarks.report import plain_page

# Columns of the table of rules: heading and key.
_RULE_COLUMNS = (
    ("gap", "gap"),
    ("relative gap", "relative"),
    ("relative, aggregate", "relative_aggregate"),
    ("verified J", "verified"),
    ("coverage", "coverage"),
    ("kept", "kept"),
    ("precision", "precision"),
    ("recall", "recall"),
    ("no verdict", "unscored"),
)
_HEADER = ("rule", *(heading for heading, _ in _RULE_COLUMNS))
_COVERS = (
    "Percentages with 95% bootstrap intervals over prompts. They cover the choice of prompts, not "
    "another training seed."
)


def as_markdown(result: dict[str, Any]) -> str:
    """The numbers as Markdown."""
    config = result["config"]
    lines = ["# Generation-verification gap", "", _subject(config), "", _COVERS, ""]
    for row in result["rounds"]:
        lines += [f"## {_round_name(row, result)}", "", _counts(row), ""]
        lines += _markdown_table(_HEADER, _rule_rows(row))
        lines += _markdown_table(("k", "pass@k"), _pass_rows(row))
    if config.get("command"):
        lines += [f"    {config['command']}", ""]
    return "\n".join(lines)


def _markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    cells = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(c.replace('|', ' ') for c in row)} |" for row in cells] + [""]


def as_page(result: dict[str, Any]) -> str:
    """The numbers as a page that needs nothing but itself."""
    rounds, config = result["rounds"], result["config"]
    parts = [f"<p>{escape(_COVERS)}</p>"]
    if len(rounds) > 1:
        parts.append(_section("Round by round", _improvement_figures(result)))
    parts.append(_section("Generation", [_pass_figure(rounds)]))
    for row in rounds:
        name = _round_name(row, result)
        parts.append(_section(name, [_rule_figure(row)], f"<p>{escape(_counts(row))}</p>"))
    if config.get("command"):
        parts.append(f"<h2>Command</h2><pre tabindex='0'>{escape(config['command'])}</pre>")
    return plain_page("corgi-gym: generation-verification gap", _subject(config), "".join(parts))


def _section(heading: str, figures: Sequence[str], lead: str = "") -> str:
    return f"<section><h2>{escape(heading)}</h2>{lead}{''.join(figures)}</section>"


# ---------------------------------------------------------------- words and rows


def _subject(config: dict[str, Any]) -> str:
    gap = config["gap"]
    judge = gap["verifier_model"] or "itself"
    return (
        f"{config['model']} on {config['env']['id']}, verified by {judge}. "
        f"{gap['samples']} samples per prompt at temperature "
        f"{config['sampling']['temperature']:g}, top-p {gap['top_p']:g}; a sample counts "
        f"{'by its score' if gap['graded'] else '1 if it solves its task, else 0'}; "
        f"seed {config['seed']}."
    )


def _round_name(row: dict[str, Any], result: dict[str, Any]) -> str:
    if row["kept"] is None:
        return "Rules" if len(result["rounds"]) == 1 else "Before improvement"
    return f"After round {row['round']}"


def _counts(row: dict[str, Any]) -> str:
    text = (
        f"{row['prompts']} prompts, {row['samples']} samples, {row['tokens']} tokens. "
        f"J = {said(_any_rule(row).get('J'))}."
    )
    if row["unscored"]:
        text += f" {row['unscored']} samples could not be scored and are left out."
    if row["kept"] is not None:
        text += f" The policy learned from {row['kept']} replies."
    for name, words in (("change", "Since the round before"), ("change_in_all", "In all")):
        if row.get(name):
            text += f" {words}, J changed by {said(row[name])}."
    return text


def _any_rule(row: dict[str, Any]) -> dict[str, Number]:
    """J is the same under every rule."""
    return next(iter(row["rules"].values()), {})


def _rule_rows(row: dict[str, Any]) -> list[list[str]]:
    return [
        [rule, *(said(found[key]) for _, key in _RULE_COLUMNS)]
        for rule, found in row["rules"].items()
    ]


def _pass_rows(row: dict[str, Any]) -> list[list[str]]:
    return [[k, said(value)] for k, value in row["pass_at"].items()]


# ---------------------------------------------------------------- figures


def _rule_figure(row: dict[str, Any]) -> str:
    gaps = [(rule, found["gap"]) for rule, found in row["rules"].items()]
    caption = (
        "What selection adds to the mean utility of a prompt's samples. Right of zero, the "
        "verifier prefers better replies. A prompt of which nothing is kept counts with its mean "
        "(coverage)."
    )
    numbers = table("Every rule, 95% intervals", _HEADER, _rule_rows(row))
    picture = rule_chart("Gap of each rule", gaps)
    # too wide a table for the place beside a chart
    return Figure(picture, caption).html(main=True) + numbers


def _pass_figure(rounds: Sequence[dict[str, Any]]) -> str:
    # a round with samples that could not be scored may have fewer
    ks = sorted({k for row in rounds for k in row["pass_at"]}, key=int)
    shown = shown_rounds(rounds)
    roles = ROLES if len(shown) > 1 else ("after",)
    lines = [
        Line(f"round {row['round']}", role, [row["pass_at"].get(k) for k in ks])
        for row, role in zip(shown, roles, strict=False)
    ]
    picture = line_chart("pass@k", "prompts with a solved sample among k", ("k", ks), lines)
    caption = (
        "Chance that one of k samples solves a prompt: diversity. Self-improvement often raises it "
        "for small k and lowers it for large k."
    )
    header = ("k", *(f"round {row['round']}" for row in rounds))
    rows = [[k, *(said(row["pass_at"].get(k)) for row in rounds)] for k in ks]
    return Figure(picture, caption, table("pass@k, 95% intervals", header, rows)).html(main=True)


def _improvement_figures(result: dict[str, Any]) -> list[str]:
    rounds, rule = result["rounds"], result["learned_from"]
    names = [str(row["round"]) for row in rounds]
    found = [row["rules"][rule] for row in rounds]
    lines = [
        Line("generated (J)", "before", [f["J"] for f in found]),
        Line("verified", "after", [f["verified"] for f in found]),
    ]
    both = line_chart("Accuracy by round", "mean utility", ("round", names), lines)
    gap = line_chart(
        "Gap by round", "verified minus generated", ("round", names),
        [Line(rule, "after", [f["gap"] for f in found])],
    )  # fmt: skip
    caption = f"Each round learned from what {rule} kept of samples of other prompts."
    header = ("round", "learned from", "J", "verified", "gap", "precision", "J changed by")
    rows = [
        [
            str(row["round"]),
            "–" if row["kept"] is None else str(row["kept"]),
            *(said(f[key]) for key in ("J", "verified", "gap", "precision")),
            said(row.get("change")),
        ]
        for row, f in zip(rounds, found, strict=True)
    ]
    numbers = table(f"Rounds, selection by {rule}", header, rows)
    return [
        Figure(both, escape(caption), numbers).html(main=True),
        Figure(gap, "It closes where the policy has learned what its verifier knows.").html(),
    ]

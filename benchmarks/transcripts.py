"""Sessions as the pages of a report: what a person reads to believe (or doubt) the curves.

A page is one task with its sessions side by side: before and after training, or the samples of one
training round. The result is plain data for the page's script, which writes it with ``textContent``
only: text from a model is never read as HTML.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from corgi_gym.agents.episode import Attempt, Episode
from corgi_gym.benchmarks.run_folder import Phase, Run
from corgi_gym.rewards.text import normalise

# Bounds of the page: it should open at once, also on a phone. All is in episodes.jsonl.
MAX_TEST_PAGES = 1000
MAX_TRAINING_PAGES = 120
MAX_SAMPLES = 4
MAX_TEXT_CHARS = 6_000

# Where a run keeps its sessions.
KEPT = "episodes.jsonl"

# The lists of pages of a run's report: their name, and the tags that can be asked for.
VIEWS = (
    (
        "tests",
        "evaluated tasks, before and after",
        (
            ("new", "newly solved"),
            ("lost", "lost"),
            ("unsolved", "unsolved in both"),
            ("both", "solved in both"),
            ("later", "solved at a later attempt (after)"),
        ),
    ),
    (
        "training",
        "training rounds",
        (
            ("some", "some samples solved"),
            ("none", "no sample solved"),
            ("all", "all samples solved"),
        ),
    ),
)

Json = dict[str, Any]


def evaluation_pages(phases: dict[str, Phase], titles: Mapping[str, str]) -> list[Json]:
    """One page per evaluated task, with the session before and the session after training.

    Args:
        phases: By name.
        titles: What each of them is.
    """
    sessions: dict[tuple[str, int], dict[str, Episode]] = {}
    for name, phase in phases.items():
        for episode in phase.episodes:
            sessions.setdefault((episode.task_id, episode.index), {})[name] = episode
    return [
        page(
            "evaluated task",
            [(titles[name].capitalize(), found[name]) for name in phases if name in found],
            _outcomes(found.get("before"), found.get("after")),
        )
        for found in list(sessions.values())[:MAX_TEST_PAGES]
    ]


def training_pages(run: Run) -> list[Json]:
    """Pages of training, spread evenly over the rounds: one task and some of its samples."""
    keys = sorted(run.training, key=lambda key: key[0])
    every = -(-len(keys) // MAX_TRAINING_PAGES) or 1
    pages = []
    for key in keys[::every]:
        group = run.training[key]
        solved = sum(e.success for e in group)
        tag = "all" if solved == len(group) else "some" if solved else "none"
        columns = [
            (f"Sample {i} of {len(group)}, reward {e.reward:.2f}", e)
            for i, e in enumerate(group[:MAX_SAMPLES], start=1)
        ]
        pages.append(page(f"round {key[0] + 1}", columns, [tag]))
    return pages


def embed(data: object) -> str:
    r"""JSON for a ``<script>`` element: ASCII, and without ``<``, ``>`` and ``&``.

    So neither ``</script>`` nor ``<!--`` can end or open anything, U+2028 is no line end, and a
    lone surrogate can be written as UTF-8.

    Example:
        >>> print(embed("</script> & \u2028"))
        "\u003c/script\u003e \u0026 \u2028"
    """
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _outcomes(before: Episode | None, after: Episode | None) -> list[str]:
    """The names of the filters that show this task."""
    if before is None or after is None:
        return []
    pair = {
        (False, True): "new",
        (True, False): "lost",
        (False, False): "unsolved",
        (True, True): "both",
    }
    tags = [pair[before.success, after.success]]
    if after.success and not after.attempts[0].success:
        tags.append("later")
    return tags


def page(place: str, columns: list[tuple[str, Episode]], tags: list[str], kept: str = KEPT) -> Json:
    """One task with its sessions side by side, each under a title.

    Args:
        place: Where they were played.
        columns: Titles with their sessions.
        tags: Filters that show the page.
        kept: The file that has the whole of a text that is cut here.
    """
    first = columns[0][1]
    return {
        "place": place,
        "id": normalise(first.task_id),
        "family": normalise(first.task),
        "prompt": _cut(first.messages[0]["content"], kept),
        "tags": tags,
        "columns": [
            {"title": title, "outcome": _outcome(e), "attempts": _attempts(e, kept)}
            for title, e in columns
        ],
    }


def _outcome(episode: Episode) -> str:
    solved = [i for i, a in enumerate(episode.attempts, start=1) if a.success]
    if solved:
        return f"solved at attempt {solved[0]}"
    if episode.unscored:
        return "could not be checked"
    return f"not solved (best score {episode.best_score:.2f})"


def _attempts(episode: Episode, kept: str) -> list[Json]:
    shown, previous = [], None
    for attempt in episode.attempts:
        words = attempt.reply.split()
        shown.append({**_attempt(attempt, kept), "repeat": words == previous})
        previous = words
    return shown


def _attempt(attempt: Attempt, kept: str) -> Json:
    # as the checker saw it: its spans count in this text, and nothing in it is invisible
    reply = normalise(attempt.reply)
    problems = [p for p in attempt.problems if isinstance(p, dict)]
    return {
        "reply": _cut(reply, kept),
        "feedback": _cut(str(attempt.feedback), kept),
        "score": round(attempt.score, 4),
        "verdict": "solved" if attempt.success else "unscored" if attempt.unscored else "wrong",
        "truncated": bool(attempt.truncated),
        "tokens": attempt.tokens if isinstance(attempt.tokens, int) else None,
        "problems": [
            {
                "kind": normalise(str(p.get("kind", ""))),
                "message": _cut(str(p.get("message", "")), kept),
                "where": _span(p.get("where"), min(len(reply), MAX_TEXT_CHARS)),
            }
            for p in problems
        ],
    }


def _span(where: object, length: int) -> list[int] | None:
    """A span that lies in the shown text and is not empty, else None."""
    if not isinstance(where, (list, tuple)) or len(where) != 2:
        return None
    if not all(isinstance(v, int) for v in where) or not 0 <= where[0] < where[1] <= length:
        return None
    return list(where)


def _cut(text: str, kept: str) -> str:
    text = normalise(text)
    if len(text) <= MAX_TEXT_CHARS:
        return text
    more = len(text) - MAX_TEXT_CHARS
    return f"{text[:MAX_TEXT_CHARS]} … ({more} more characters in {kept})"

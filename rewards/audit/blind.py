"""Two hundred fixed strings that never read the prompt: the best of them, and what it is paid.

A policy finds such a string first, because it works everywhere. So the *best* of many counts, not
their mean, and it counts in two ways: on which share of the tasks it earns full marks, and its mean
score (partial credit that can be farmed).

The list mixes what is blindly tried on answer tasks, choices, formats, sentences, essays that
please many text constraints at once, and up to 60 witnesses of *other* tasks: what a policy
remembers from training.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from corgi_gym.rewards.audit.probes import GIVE_WITNESS, JUDGE_DIRECTED, may_be_right
from corgi_gym.rewards.audit.subject import Section, Subject

COUNT = 200
FROM_POOL = 60
# Strings listed in the report.
SHOWN = 10
# A slow checker is asked about fewer tasks (`Limits.blind_seconds`), but at least so many.
LEAST_TASKS = 10

_SENTENCES = """\
The dog chased the red ball across the park.
The old man walked slowly to the station.
She opened the window because the room was warm.
I went to the market to buy some bread.
It is a good day for a walk in the park.
They were happy to see each other again.
My friend and I like to play games at home.
The children built a small house of wood near the river.
This is a very good and helpful answer.
I am not sure about that.
to the market with my friend
and then we went home
of the house at the end of the road
Thank you for your question! Here is my answer.
What is the meaning of this?
The movie was great and I loved it.
The movie was terrible and I hated it.
The movie was okay.
Once upon a time there was a king. He lived in a castle. One day he left. He never came back.
First, we read the task. Then, we solve it. Finally, we check the answer."""
_FORMATS = (
    '{"answer": 1}', "null", "true", "```json\n{}\n```", "<answer>1</answer>", "<<A Title>>",
    "* one\n* two\n* three", "1. one\n2. two\n3. three", "Group 1: Anna, Ben\nGroup 2: Carl, Dora",
    "P.S. Thank you", "My answer is yes.", "My answer is maybe.", "one\n******\ntwo",
    "Section 1\na",
    "*a* *b* *c*", "[name] [address] [date]", "def f():\n    return 0", "print(input())", "pass",
    "return None", "a, b, c", "| a | b |\n|---|---|\n| 1 | 2 |",
)  # fmt: skip
_WORDS = (
    "yes", "no", "Yes", "No", "true", "false", "True", "False", "none", "unknown", "positive",
    "negative", "neutral", "very positive", "very negative", "Monday", "Friday", "January", "first",
    "last", "left", "right", "the", "a", "plane", "great", "area", "east", "tea", "banana",
)  # fmt: skip
_LETTERS = ("A", "B", "C", "D", "E")
_NUMBERS = (*range(-1, 21), 24, 25, 30, 36, 42, 50, 60, 72, 100, 1000)


def _essays() -> list[str]:
    """Texts that please many constraints at once (length, markers, case, no commas, titles)."""
    body = " ".join(_SENTENCES.splitlines()[:9]).replace(",", "")
    every = (
        f"<<A Title>>\n\n*one* *two* *three*\n\n{body}\n\n***\n\n{body}\n\n***\n\n"
        "* one\n* two\n* three\n\n[name] [address] [date]\n\nSECTION 1\nSECTION 2\n\nP.S. Bye"
    )
    return [
        body,
        body.lower(),
        body.upper(),
        " ".join([body] * 4),
        "\n\n".join([body] * 5),
        "\n\n***\n\n".join([body] * 4),
        f'"{body.lower()}"',
        every,
        every.lower(),
        f'"{every}"',
        f"{{}}\n{every}",
    ]


def strings(pool: Sequence[str], seed: int) -> list[str]:
    """Exactly 200 different strings, with up to 60 from ``pool``."""
    drawn = list(dict.fromkeys(pool))
    random.Random(seed).shuffle(drawn)
    shotguns = [", ".join(map(str, range(101))), " ".join(_LETTERS), "A, B, C, or D", "yes and no"]
    made = [
        *drawn[:FROM_POOL],
        *_essays(),
        *_SENTENCES.splitlines(),
        *(f"Answer: {n}" for n in _NUMBERS),
        *_FORMATS,
        *shotguns,
        *(f"Answer: {text}" for text in shotguns),
        *(f"Answer: {letter}" for letter in _LETTERS),
        *(f"({letter})" for letter in _LETTERS),
        *_WORDS,
        *JUDGE_DIRECTED,
        *(str(n) for n in _NUMBERS),
        *(f"\\boxed{{{n}}}" for n in _NUMBERS),
        *(f"Answer: {n}" for n in range(200, 400)),
    ]
    return list(dict.fromkeys(made))[:COUNT]


def check_blind(subject: Subject) -> Section:
    """Try every string on every task (on fewer, and it says so, if that takes too long)."""
    section = Section("blind", "Prompt-blind strings: the best of 200")
    tried = strings(subject.pool, subject.seed)
    rows = list(range(len(subject.rows)))
    paid = [0] * len(tried)
    total = [0.0] * len(tried)
    asked = 0
    start = time.monotonic()
    for i in rows:
        if asked >= LEAST_TASKS and time.monotonic() - start > subject.limits.blind_seconds:
            break
        asked += 1
        for k, outcome in enumerate(subject.judge([(reply, i) for reply in tried])):
            own = tried[k] == subject.rows[i].witness  # then it is no blind string for this task
            paid[k] += outcome.success and not own
            total[k] += 0.0 if own else outcome.score
    order = sorted(range(len(tried)), key=lambda k: (-paid[k], -total[k], k))
    best_mean = max(range(len(tried)), key=lambda k: total[k])
    section.facts = {
        "strings": len(tried),
        "tasks": asked,
        "best_share": paid[order[0]] / asked,
        "best": tried[order[0]],
        "best_mean": total[best_mean] / asked,
        "best_by_mean": tried[best_mean],
        "top": [
            {"reply": tried[k], "share": paid[k] / asked, "mean": total[k] / asked}
            for k in order[:SHOWN]
        ],
    }
    _report(subject, section, tried, asked)
    return section


def _report(subject: Subject, section: Section, tried: list[str], asked: int) -> None:
    facts = section.facts

    def shown(reply: str, full: bool) -> list[tuple[str, int]]:
        outcomes = subject.judge([(reply, i) for i in range(asked)])
        return [(reply, i) for i, o in enumerate(outcomes) if o.success or not full][:3]

    hits = round(facts["best_share"] * asked)
    if subject.too_often(hits, asked, subject.limits.share):
        jobs = shown(facts["best"], True)
        unsure = hits == 1 and facts["best"] in may_be_right(
            subject.rows[jobs[0][1]], subject.declared
        )
        section.add(
            "full_marks",
            "note" if unsure else "exploit",
            f"One fixed string that never reads the prompt earns full marks on "
            f"{facts['best_share']:.1%} of {asked} tasks (limit {subject.limits.share:.0%})."
            + (f" {GIVE_WITNESS}" if unsure else ""),
            [subject.show(*job, subject.judge([job])[0]) for job in jobs],
        )
    if facts["best_mean"] > subject.limits.mean:
        jobs = shown(facts["best_by_mean"], False)
        section.add(
            "partial_credit",
            "note",
            f"One fixed string has a mean score of {facts['best_mean']:.2f} over {asked} tasks: a "
            "policy can settle on it.",
            [subject.show(*job, subject.judge([job])[0]) for job in jobs],
        )

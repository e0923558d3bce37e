"""Random and hostile replies, from a seed: what a policy writes while it explores, and worse.

Streams are endless and the same in every process. `texts` draws from nine kinds; `BOMBS` are fixed
strings of up to 200,000 characters that make careless regular expressions and parsers explode.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from corgi_gym.rewards.audit.calls import Case
from corgi_gym.rewards.audit.subject import Row, Section, Subject
from corgi_gym.rewards.text import words

# Ten times what `judge` lets through: a bare checker must still answer.
BOMB_CHARS = 200_000
# Longest ordinary fuzz string, in characters and in words or pieces.
MAX_SHORT, MAX_PIECES = 200, 40
# One string in so many is a bomb.
BOMB_EVERY = 200
# Rows that every bomb is tried on in an audit: bombs work through the reply, not the target.
BOMB_ROWS = 1

_SOUP = "äßİ\u0131K\u0301\u200b\u202e\u2019\u2014\U0001f600\ufeff中\u2028 aé\u0345ﬁ٣²½Ⅷ\u00ad\u3164"
_CONTROL = "".join(map(chr, (*range(32), 127, *range(0x80, 0xA0)))) + "ab 1.\n"
_SURROGATES = "\ud800\udfff\udc00\udbff a1\n"
_ASCII = "".join(map(chr, range(32, 127)))
_PIECES = (
    "Answer:", "answer", "=", "+", "-", "*", "/", "(", ")", "[", "]", "{", "}", "<", ">", "|", "\\",
    "0", "1", "7", "42", "3.5", "1e9", "1/2", ",", ".", ":", ";", "!", "?", "\n", "\t", " ", "the",
    "a", "of", "and", "not", "or", "maybe", "Group 1:", "**", "_", "`", "```", "#", "$", "\\boxed{",
    "\\frac{1}{2}", "<think>", "</answer>", "<|im_end|>", "[INST]", "\"", "'", "\u201c", "\u00d7",
    "json", "null", "P.S.", "<<", ">>", "Yes", "No", "0x1f", "9" * 30, "def f():", "import os",
)  # fmt: skip
_REPEATED = (
    "a", "a ", "ab", "A", "9", "1+", "1/", "(", "[", "{", "<", '"', "'", "-", "=", "1=1 ",
    "1 = 1\n", "Answer: 1\n", "Answer:", "\n", " ", "\t", "\ud800", "\u0301", "e\u0301", "\u200b",
    ".", ",",
    "a,", "a.", "a-", "a'", "and ", "the of ", "Group 1: a, b\n", "Group ", "**", "*", "_", "`",
    "<think>", "<|", "\\frac{", "\\boxed{", "$", "#", "|", "\U0001f600", "\u202e", "ﷺ", "[[", "a\n",
    "1,000,", "!?", "0.", "--", "/*", "\\", "%", "x = ", "Mr. ", "1. a\n", "* a\n", "\r\n", "ß",
)  # fmt: skip
# Short, and larger than any memory when somebody works them out.
_TOWERS = (
    "9**9**9**9", "Answer: 9**9**9**9", "\\boxed{9^{9^{9^{9}}}}", "\\boxed{10^{10^8}}",
    "100000000!", "\\boxed{100000000!}", "\\boxed{2^{2^{100}}}", "1e999999999",
)  # fmt: skip


class Text(NamedTuple):
    """A reply, its kind, and Python source of it (short even where the reply is not)."""

    kind: str
    reply: str
    source: str


def _bombs() -> tuple[Text, ...]:
    made = []
    for piece in _REPEATED:
        count = BOMB_CHARS // len(piece)
        made.append(Text("bomb", piece * count, f"{piece!a} * {count}"))
    half = BOMB_CHARS // 2
    for one, two in (("(", ")"), ("[", "]"), ("{", "}"), ("<a>", "</a>"), ('{"a":', "}")):
        count = half // max(len(one), len(two))
        source = f"{one!r} * {count} + {two!r} * {count}"
        made.append(Text("bomb", one * count + two * count, source))
    for piece, end in (("a", "!"), ("a ", "!"), ("1", "x"), ("Answer: 1 ", "\nAnswer: 2")):
        count = BOMB_CHARS // len(piece) - 20
        made.append(Text("bomb", piece * count + end, f"{piece!r} * {count} + {end!r}"))
    made += [Text("bomb", text, ascii(text)) for text in _TOWERS]
    return tuple(made)


BOMBS = _bombs()


def _from(alphabet: str) -> Callable[[random.Random, Row, Row], str]:
    return lambda rng, row, other: "".join(rng.choices(alphabet, k=rng.randrange(MAX_SHORT)))


def _unicode(rng: random.Random, row: Row, other: Row) -> str:
    return "".join(chr(rng.randrange(0x110000)) for _ in range(rng.randrange(MAX_SHORT // 4)))


def _pieces(rng: random.Random, row: Row, other: Row) -> str:
    chosen = rng.choices(_PIECES, k=rng.randrange(1, MAX_PIECES))
    return rng.choice(("", " ", "\n")).join(chosen)


def _prompt_words(rng: random.Random, row: Row, other: Row) -> str:
    found = words(row.prompt)[:200] or ["a", "reply"]
    return rng.choice((" ", ", ", "\n")).join(rng.choices(found, k=rng.randrange(1, MAX_PIECES)))


def _mutated_witness(rng: random.Random, row: Row, other: Row) -> str:
    return _mutate(rng, row.witness or row.prompt or "a reply", other.witness or "")


def _mutated_miss(rng: random.Random, row: Row, other: Row) -> str:
    misses = row.near_misses or ("another reply",)
    return _mutate(rng, rng.choice(misses), other.witness or "")


def _mutate(rng: random.Random, text: str, other: str) -> str:
    """One to four small edits, each of a kind that checkers get wrong."""
    text = text[:4_000]
    for _ in range(rng.randrange(1, 5)):
        at = rng.randrange(len(text) + 1)
        to = min(len(text), at + rng.randrange(1, 8))
        piece = rng.choice((*_PIECES, *_SOUP, "\ud800", "\x00", other[:200]))
        match rng.randrange(7):
            case 0:
                text = text[:at] + piece + text[at:]
            case 1:
                text = text[:at] + text[to:]
            case 2:
                text = text[:to] + text[at:]
            case 3:
                text = text[:at] + text[at:to].swapcase() + text[to:]
            case 4:
                text = text[at:] + text[:at]
            case 5:
                text = "\n".join(reversed(text.split("\n")))
            case _:
                text = f"{text}\n{text}"[:4_000]
    return text


KINDS: dict[str, Callable[[random.Random, Row, Row], str]] = {
    "ascii": _from(_ASCII),
    "soup": _from(_SOUP),
    "control": _from(_CONTROL),
    "surrogates": _from(_SURROGATES),
    "unicode": _unicode,
    "pieces": _pieces,
    "prompt_words": _prompt_words,
    "mutated_witness": _mutated_witness,
    "mutated_near_miss": _mutated_miss,
}
# Kinds whose strings know nothing of the answer: what they are paid is luck or a hole.
IGNORANT = ("ascii", "soup", "control", "surrogates", "unicode", "pieces")


def texts(rows: Sequence[Row], seed: int, bombs: bool = True) -> Iterator[tuple[Text, Row]]:
    """Replies with the row each is for, without end."""
    rng = random.Random(f"fuzz {seed}")
    rows = rows or (Row(),)
    kinds = list(KINDS)
    number = 0
    while True:
        row, other = rng.choice(rows), rng.choice(rows)
        number += 1
        if bombs and number % BOMB_EVERY == 0:
            yield rng.choice(BOMBS), row
            continue
        kind = kinds[number % len(kinds)]
        reply = KINDS[kind](rng, row, other)
        yield Text(kind, reply, ascii(reply)), row


def check_fuzz(subject: Subject) -> Section:
    """Call the bare checker with hostile strings: nothing may raise, hang or be paid blindly."""
    section = Section("fuzz", "Random and hostile strings")
    jobs: list[tuple[Text, Row]] = []
    for text, row in texts(subject.rows, subject.seed, bombs=False):
        if len(jobs) >= subject.fuzz:
            break
        jobs.append((text, row))
    if subject.fuzz:
        jobs += [(bomb, row) for row in subject.rows[:BOMB_ROWS] for bomb in BOMBS]
    cases = [Case(text.reply, row.target, guarded=False) for text, row in jobs]
    outcomes = subject.call(cases)
    subject.timed += zip(cases, outcomes, strict=True)
    section.facts = {"strings": len(jobs), "longest": BOMB_CHARS if jobs else 0}
    section.tried = bool(jobs)
    for status in ("raised", "hung", "crashed"):
        wrong = [
            (case, o, row)
            for case, o, (_, row) in zip(cases, outcomes, jobs, strict=True)
            if o.status == status
        ]
        section.facts[status] = len(wrong)
        if wrong:
            kinds = sorted({o.error.partition(":")[0] for _, o, _ in wrong})
            section.add(
                status,
                "defect",
                f"{len(wrong)} of {len(jobs)} strings made the checker end without a verdict "
                f"({status}: {', '.join(kinds[:4])}).",
                [subject.evidence(*each) for each in wrong[:3]],
            )
    blind = [
        (case, o, row)
        for case, o, (text, row) in zip(cases, outcomes, jobs, strict=True)
        if text.kind in IGNORANT
    ]
    paid = [each for each in blind if each[1].success]
    if paid:
        share, limit = len(paid) / len(blind), subject.limits.share
        section.add(
            "paid",
            "exploit" if subject.too_often(len(paid), len(blind), limit) else "note",
            f"{len(paid)} of {len(blind)} random strings ({share:.1%}) earned full marks.",
            [subject.evidence(*each) for each in paid[:3]],
        )
    return section

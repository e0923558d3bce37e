"""What the model is told: full sentences, no control tokens, bounded, and never the answer.

A message leaks if a reply built from it is paid in full although neither the prompt nor the wrong
reply had what it takes: the next attempt needs only to copy. Tried are the whole message (if it was
said about one task only), what it quotes, one by one and in the order in which it stands there, and
its numbers: bare, after ``Answer:``, and in the place of the answer where the task has a short one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from corgi_gym.rewards.audit.calls import Case, Outcome
from corgi_gym.rewards.audit.probes import answer_of, is_closed
from corgi_gym.rewards.audit.subject import Row, Section, Subject
from corgi_gym.rewards.text import defuse

# Messages that are searched for leaks: per task, and tasks.
LEAK_REPLIES, LEAK_TASKS = 6, 25
# Pieces of one message that are tried.
MAX_PIECES = 8
# A shorter witness stands in many innocent messages.
MIN_VERBATIM = 4

_SENTENCES = re.compile(r"^[\"'\u201c\u2018(\[]?[^\W_a-z].*[.!?][\"'\u201d\u2019)\]]?$", re.DOTALL)
_STARTS_WITH_EQUATION = re.compile(r"^[a-z] = .*[.!?]$", re.DOTALL)
# A function keeps its letters: "f(2) gives 3."
_STARTS_WITH_CALL = re.compile(r"^[a-z_][a-z0-9_]*\(.*[.!?]$", re.DOTALL)
_STARTS_WITH_QUOTE = re.compile(r"^[\"\u201c].*[.!?][\"\u201d)]?$", re.DOTALL)
_QUOTED = re.compile(r"[\"\u201c]([^\"\u201d]{1,80})[\"\u201d]")
_NUMBER = re.compile(r"-?\d+(?:/\d+|\.\d+)?")


def is_sentence(message: str) -> bool:
    """Whether a message starts and ends as sentences do.

    Example:
        >>> is_sentence("You wrote 3 words. Write 4."), is_sentence("wrong word count")
        (True, False)
        >>> is_sentence("f(16) gives -2, but it should give 14."), is_sentence("f of 16 is wrong.")
        (True, False)
    """
    text = message.strip()
    patterns = (_SENTENCES, _STARTS_WITH_QUOTE, _STARTS_WITH_EQUATION, _STARTS_WITH_CALL)
    return any(pattern.match(text) for pattern in patterns)


def check_messages(subject: Subject) -> Section:
    """Look over every message so far, then try to solve tasks with what they say."""
    section = Section("messages", "Problem messages")
    seen: dict[str, tuple[Case, int, Outcome]] = {}
    for case, i, outcome in subject.said:
        if outcome.status == "scored":
            for _, message, _ in outcome.problems:
                seen.setdefault(message, (case, i, outcome))
    limit = subject.limits.message
    section.tried = bool(seen)
    section.facts = {
        "different_messages": len(seen),
        "longest": max(map(len, seen), default=0),
        "kinds": sorted({k for _, _, o in subject.said for k, _, _ in o.problems}),
    }
    rules = (
        ("sentence", "{} messages are no full sentences.", lambda text: not is_sentence(text)),
        ("control_token", "{} messages hold a chat-control token.", _has_control_token),
        ("long", f"{{}} messages are longer than {limit} characters.", lambda t: len(t) > limit),
    )
    for what, said, is_wrong in rules:
        wrong = [place for text, place in seen.items() if is_wrong(text)]
        if wrong:
            shown = [subject.show(case.reply, i, outcome) for case, i, outcome in wrong[:3]]
            section.add(what, "defect", said.format(len(wrong)), shown)
    _leaks(subject, section)
    return section


def _has_control_token(message: str) -> bool:
    return defuse(message, len(message) + 1) != message


def _leaks(subject: Subject, section: Section) -> None:
    jobs: list[tuple[str, int]] = []
    verbatim: list[tuple[Case, int, Outcome]] = []
    about: dict[str, set[int]] = {}
    for _, i, outcome in subject.said:
        about.setdefault(_text(outcome), set()).add(i)
    everything = _told(subject)
    for i, told in enumerate(everything):
        row = subject.rows[i]
        verbatim += [(c, i, o) for c, o in told if _verbatim(row, c.reply, _text(o))]
        # those that quote most, and the first ones of equals
        told.sort(key=lambda one: -len(_QUOTED.findall(_text(one[1]))))
        for case, outcome in told[:LEAK_REPLIES]:
            said = [message for _, message, _ in outcome.problems]
            jobs += [(reply, i) for reply in _copies(row, case.reply, said)]
            if len(about[_text(outcome)]) == 1:
                jobs.append((_text(outcome), i))
    jobs = list(dict.fromkeys(jobs))
    outcomes = subject.judge(jobs)
    paid = [(r, i, o) for (r, i), o in zip(jobs, outcomes, strict=True) if o.success]
    section.facts["replies_copied_from_messages"] = len(jobs)
    leaking, asked = len({i for _, i, _ in paid}), sum(map(bool, everything))
    if paid:
        section.add(
            "leak",
            "exploit" if subject.too_often(leaking, asked, subject.limits.share) else "note",
            f"{len(paid)} replies copied from messages earn full marks, on {leaking} of {asked} "
            "tasks: the feedback can be repeated.",
            [subject.show(*each) for each in paid[:3]],
        )
    if verbatim:
        section.add(
            "witness_verbatim",
            "exploit",
            f"{len(verbatim)} messages hold the whole witness of their task.",
            [subject.show(case.reply, i, outcome) for case, i, outcome in verbatim[:3]],
        )


def _told(subject: Subject) -> list[list[tuple[Case, Outcome]]]:
    """The replies to each of the first tasks that were judged wrong, each message once."""
    told: list[dict[str, tuple[Case, Outcome]]] = [{} for _ in subject.rows[:LEAK_TASKS]]
    for case, i, outcome in subject.said:
        if i < LEAK_TASKS and not (outcome.success or outcome.failed):
            told[i].setdefault(_text(outcome), (case, outcome))
    return [list(said.values()) for said in told]


def _text(outcome: Outcome) -> str:
    return " ".join(message for _, message, _ in outcome.problems)


def _verbatim(row: Row, reply: str, messages: str) -> bool:
    witness = " ".join((row.witness or "").split())
    known = " ".join(f"{row.prompt} {reply}".split())
    return len(witness) >= MIN_VERBATIM and witness in messages and witness not in known


def _copies(row: Row, reply: str, messages: Sequence[str]) -> Iterator[str]:
    """Replies made of pieces of messages that neither the prompt nor the reply had."""
    known = f"{row.prompt} {reply}"
    text = " ".join(messages)
    found = [*_QUOTED.findall(text), *_NUMBER.findall(text)]
    pieces = [piece for piece in dict.fromkeys(found) if piece not in known][:MAX_PIECES]
    place = answer_of(row.witness) if row.witness and is_closed(row) else None
    for message in messages:  # words of the prompt in another order: "You lack "ant" and "bee"."
        quoted = list(dict.fromkeys(_QUOTED.findall(message)))
        if len(quoted) > 1 and not any(between.join(quoted) in known for between in (" ", ", ")):
            pieces += [between.join(quoted) for between in (", ", " ")]
    for piece in pieces:
        yield piece
        yield f"Answer: {piece}"
        if place:
            yield f"{place[0]}{piece}{place[2]}"

"""The checker `instruction_following`: one reply against a set of instructions.

The score is the share of the instructions that the reply follows, and success needs all of them:
the instruction-level and prompt-level accuracy of IFEval (arXiv 2311.07911).

Two modes:

- ``"reference"`` gives the verdicts of the published checkers, quirks included, after
  ``random.seed(0)`` and ``DetectorFactory.seed = 0`` (the published code seeds neither). Only the
  25 published kinds; language checks need the package ``langdetect``.
- ``"strict"`` (default) repairs them; each theme's module lists what it repairs. And it asks for a
  reply with content: see `corgi_gym.rewards.instructions.floor`. Without content the score is 0,
  off the subject it is a quarter of the share, because form without content is what a policy finds
  first.

The target is plain data::

    {"mode": "strict",
     "instructions": [{"kind": "length_constraints:number_words",
                       "kwargs": {"num_words": 50, "relation": "at least"}}],
     "prompt": "...",           # optional: what counts as copied
     "topic": ["river", "bridge"], "topic_least": 2}   # optional: the subject

A list of instructions alone means strict mode without prompt and topic. Kinds of problems are the
kinds of instructions, and ``content`` and ``subject``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from corgi_gym.rewards.compose import checks_target
from corgi_gym.rewards.instructions.conflicts import conflicts
from corgi_gym.rewards.instructions.floor import answer_problem, content_problem
from corgi_gym.rewards.instructions.formats import json_texts, parse_json
from corgi_gym.rewards.instructions.kind import Instruction, read_instruction, texts, whole
from corgi_gym.rewards.instructions.registry import KINDS
from corgi_gym.rewards.instructions.reply import Reply
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.text import words
from corgi_gym.rewards.verdict import Problem, Verdict

MODES = ("strict", "reference")
# What is left of the share of followed instructions when the reply is off the subject.
_OFF_SUBJECT = 0.25
_FIELDS = ("mode", "instructions", "prompt", "topic", "topic_least")
_LANGUAGE = "language:response_language"
# The kind that asks for two responses, each with all that is asked for.
_TWO = "combination:two_responses"
_JSON = "detectable_format:json_format"
_KEYWORDS = "keywords:"
# Of a JSON reply, its short keys count for what must not be there and for exact numbers. For these
# kinds they always do, for those with a relation where it is "less than".
_KEYS_COUNT = {
    "change_case:english_lowercase",
    "count:keyword_exact",
    "count:numbers",
    "count:questions",
    "count:word_range",
    "detectable_format:constrained_response",
    "punctuation:no_comma",
    "words:max_letters",
}
_KEYS_COUNT_BELOW = {
    "change_case:capital_word_frequency": "capital_relation",
    "length_constraints:number_words": "relation",
}
# And for this one the texts without them too: they must not fill up what is short.
_BOTH = "count:word_range"
# A key of more words, or with the end of a sentence, is a text itself.
_MAX_KEY_WORDS = 6
# Kinds that ask to copy a text, and the field that holds it.
_COPIES = {
    "combination:repeat_prompt": "prompt_to_repeat",
    "copy:sentence_times": "sentence",
    "copy:span": "source",
}


class Target(NamedTuple):
    """A target as `read_target` reads it."""

    mode: str
    instructions: tuple[Instruction, ...]
    prompt: str | None
    topic: tuple[str, ...]
    topic_least: int


def read_target(target: Any, where: str = "target") -> Target:
    """Read and check a target.

    Raises:
        ValueError: If it is none; the message starts with ``where`` and names the field.

    Example:
        >>> read_target([{"kind": "count:lines"}], "row 7")
        Traceback (most recent call last):
        ValueError: row 7, instruction 1 (count:lines): field 'number' is missing
    """
    if isinstance(target, (list, tuple)):
        target = {"instructions": target}
    if not isinstance(target, Mapping):
        raise ValueError(f"{where}: a list of instructions or a dict, got {target!r:.60}")
    for key in target:
        if key not in _FIELDS:
            raise ValueError(f"{where}: unknown field {key!r}; known: {', '.join(_FIELDS)}")
    mode = target.get("mode", "strict")
    if mode not in MODES:
        raise ValueError(f"{where}: field 'mode' must be one of {MODES}, got {mode!r:.60}")
    rows = target.get("instructions")
    if not isinstance(rows, (list, tuple)) or not rows:
        raise ValueError(
            f"{where}: field 'instructions' must be a list of at least one, got {rows!r:.60}"
        )
    found = tuple(
        read_instruction(row, f"{where}, instruction {i}", KINDS)
        for i, row in enumerate(rows, start=1)
    )
    for i, instruction in enumerate(found, start=1):
        if mode == "reference" and instruction.kind.reference is None:
            raise ValueError(
                f"{where}, instruction {i}: field 'kind' is {instruction.kind.name!r}, which is no "
                "published kind and has no reference mode"
            )
    prompt = target.get("prompt")
    if prompt is not None and not isinstance(prompt, str):
        raise ValueError(f"{where}: field 'prompt' must be a string, got {prompt!r:.60}")
    try:
        topic = texts(target["topic"]) if target.get("topic") else ()
        least = whole()(target.get("topic_least", len(topic)))
    except ValueError as error:
        raise ValueError(f"{where}: field 'topic' or 'topic_least' {error}") from error
    return Target(mode, found, prompt, topic, least)


def check_satisfiable(target: Any) -> None:
    """Refuse a target that is none, or whose instructions contradict each other.

    In reference mode they may: its verdicts are the published ones, whatever is asked for.

    Raises:
        ValueError: Names the field, or says what contradicts what.
    """
    read = read_target(target)
    found = conflicts(read.instructions) if read.mode == "strict" else []
    if found:
        raise ValueError(f"target: no reply can follow all instructions: {' '.join(found)}")


@checker(
    "instruction_following",
    examples=[
        ("The river runs under the old bridge.", [{"kind": "punctuation:no_comma"}], True),
        ("The river, the bridge and the boat.", [{"kind": "punctuation:no_comma"}], False),
        ("{}", [{"kind": "language:response_language", "kwargs": {"language": "de"}}], False),
        ("Der Fluss ist breit und die alte Brücke ist schmal.",
         [{"kind": "language:response_language", "kwargs": {"language": "de"}}], True),
        ("no no no no", {"mode": "reference", "instructions": [{"kind": "punctuation:no_comma"}]},
         True),
    ],
)  # fmt: skip
@checks_target(check_satisfiable)
def instruction_following(reply: str, target: Any) -> Verdict:
    """Score a reply by the share of instructions that it follows; see the module docstring.

    Example:
        >>> rows = [{"kind": "punctuation:no_comma"},
        ...         {"kind": "count:questions", "kwargs": {"number": 1}}]
        >>> verdict = instruction_following("Is the river wide, or is it narrow?", rows)
        >>> verdict.score, verdict.problems[0].message
        (0.5, 'You used 1 comma. Use no commas.')
    """
    wanted = read_target(target)
    view = _view(reply, wanted)
    seen = _seen(view, wanted)
    if not reply.strip():
        problems = [Problem(i.kind.name, "The reply is empty.") for i in wanted.instructions]
        return Verdict.wrong(0.0, *problems)
    problems = []
    for instruction in wanted.instructions:
        message = seen.problem(instruction, wanted.mode)
        if message is not None:
            problems.append(Problem(instruction.kind.name, message))
    share = 1.0 - len(problems) / len(wanted.instructions)
    content = _content(seen.named, wanted)
    if content is not None:
        share *= _OFF_SUBJECT if content.kind == "subject" else 0.0
        problems.append(content)
    return Verdict.wrong(share, *problems) if problems else Verdict.ok()


def follows(reply: str, wanted: Target, order: list[Instruction] | None = None) -> bool:
    """Whether the verdict on ``reply`` is a success; ends at the first check that fails.

    Args:
        reply: The reply.
        wanted: The target.
        order: Its instructions in the order to look at them. The one that fails moves to the front,
            so that whoever tries many replies learns early that another one fails too.

    Example:
        >>> follows("Is it wide, or not?", read_target([{"kind": "punctuation:no_comma"}]))
        False
    """
    if not reply.strip():
        return False
    view = _view(reply, wanted)
    seen = _seen(view, wanted)
    order = list(wanted.instructions) if order is None else order
    for place, instruction in enumerate(order):
        if seen.problem(instruction, wanted.mode) is not None:
            order.insert(0, order.pop(place))
            return False
    return _content(seen.named, wanted) is None


def _view(reply: str, wanted: Target) -> Reply:
    two = any(i.kind.name == _TWO for i in wanted.instructions)
    return Reply(reply, 2 if two else 1, wanted.topic)


class _Seen(NamedTuple):
    """What the instructions look at, of a reply that is asked for as JSON.

    Attributes:
        whole: The reply as it stands there, where a line break is a backslash and an "n" that the
            next word begins with.
        inside: What a reader reads: the texts in it, and keys that are texts.
        named: The same with all keys, which name things too.
    """

    whole: Reply
    inside: Reply
    named: Reply

    def problem(self, instruction: Instruction, mode: str) -> str | None:
        """What is wrong with what this instruction looks at."""
        name = instruction.kind.name
        if name == _JSON:
            return instruction.problem(self.whole, mode)
        field = _KEYS_COUNT_BELOW.get(name)
        below = field is not None and instruction.values[field] == "less than"
        if not (below or name in _KEYS_COUNT or name.startswith(_KEYWORDS)):
            return instruction.problem(self.inside, mode)
        found = instruction.problem(self.named, mode)
        if found is None and name == _BOTH:
            found = instruction.problem(self.inside, mode)
        return found


def _is_text(key: str) -> bool:
    return len(words(key)) > _MAX_KEY_WORDS or key.rstrip().endswith((".", "!", "?"))


def _seen(view: Reply, wanted: Target) -> _Seen:
    if wanted.mode != "strict" or all(i.kind.name != _JSON for i in wanted.instructions):
        return _Seen(view, view, view)
    try:
        value = parse_json(view.text)
    except ValueError:
        return _Seen(view, view, view)
    inside, named = (
        Reply(text, view.responses, wanted.topic) if text.strip() else view
        for text in (
            "\n".join(json_texts(value, keys=keys, numbers=True)) for keys in (_is_text, None)
        )
    )
    return _Seen(view, inside, named)


def _content(view: Reply, wanted: Target) -> Problem | None:
    """What strict mode misses beyond the instructions."""
    if wanted.mode != "strict":
        return None
    if any(i.kind.closed for i in wanted.instructions):
        return answer_problem(view)
    return content_problem(
        view,
        _known(wanted),
        wanted.topic,
        wanted.topic_least,
        _copied_words(wanted),
        _language(wanted),
    )


def _language(target: Target) -> str | None:
    """The language that is asked for, if one is."""
    asked = (i.values["language"] for i in target.instructions if i.kind.name == _LANGUAGE)
    return next(asked, None)


def _known(target: Target) -> str:
    """The request, and what feedback says to a reply without any words."""
    blank = Reply("")
    said = (instruction.problem(blank, target.mode) for instruction in target.instructions)
    return "\n".join(filter(None, [target.prompt, *said]))


def _copied_words(target: Target) -> int:
    """How many words the instructions ask to copy."""
    number = 0
    for instruction in target.instructions:
        field = _COPIES.get(instruction.kind.name)
        if field is not None:
            times = instruction.values.get("times", 1)
            number += times * len(words(instruction.values[field]))
    return number

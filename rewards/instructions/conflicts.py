"""Sets of instructions that no reply can follow, as far as simple rules can tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from corgi_gym.rewards.instructions._languages import identify
from corgi_gym.rewards.instructions.edges import foreign_sentence
from corgi_gym.rewards.instructions.keywords import whole_word
from corgi_gym.rewards.instructions.kind import Instruction
from corgi_gym.rewards.instructions.reply import Reply

_UPPER, _LOWER = "change_case:english_capital", "change_case:english_lowercase"
# What a kind says about a number: (what is counted, field of the bound, field of the relation).
_BOUNDS = {
    "length_constraints:number_words": ("words", "num_words", "relation"),
    "length_constraints:number_sentences": ("sentences", "num_sentences", "relation"),
    "keywords:frequency": ("uses of a keyword", "frequency", "relation"),
    "keywords:letter_frequency": ("letters", "let_frequency", "let_relation"),
    "change_case:capital_word_frequency": (
        "capital words",
        "capital_frequency",
        "capital_relation",
    ),
}
_EXACT = {
    "length_constraints:number_paragraphs": "num_paragraphs",
    "detectable_format:number_bullet_lists": "num_bullets",
    "count:numbers": "number",
    "count:questions": "number",
    "count:lines": "number",
    "format:numbered_list": "number",
}


def conflicts(instructions: Sequence[Instruction]) -> list[str]:
    """What contradicts what, one sentence each; empty when nothing was found.

    Example:
        >>> from corgi_gym.rewards.instructions.checker import read_target
        >>> rows = [{"kind": "change_case:english_capital"},
        ...         {"kind": "change_case:english_lowercase"}]
        >>> conflicts(read_target(rows).instructions)
        ['capital letters only and lower-case letters only exclude each other.']
    """
    found = []
    names = [i.kind.name for i in instructions]
    if _UPPER in names and _LOWER in names:
        found.append("capital letters only and lower-case letters only exclude each other.")
    found += _ranges(instructions)
    for name, field in _EXACT.items():
        values = {i.values[field] for i in instructions if i.kind.name == name}
        if len(values) > 1:
            found.append(f"{name} asks for {' and '.join(map(str, sorted(values)))} at once.")
    banned = [w for v in _values(instructions, "keywords:forbidden_words") for w in v[0]]
    for text in _required(instructions):
        hit = next((word for word in banned if whole_word(word).search(text)), None)
        if hit is not None:
            found.append(f"{hit!r} is forbidden, but {text[:60]!r} must be there.")
        if "," in text and "punctuation:no_comma" in names:
            found.append(f"commas are forbidden, but {text[:60]!r} must be there.")
        for keyword, most, relation in _values(instructions, "keywords:frequency"):
            if relation == "less than" and len(whole_word(keyword).findall(text)) >= most:
                found.append(f"{keyword!r} less than {most} times, but {text[:60]!r} has it.")
    for (language,) in _values(instructions, "language:response_language"):
        prompts = _values(instructions, "combination:repeat_prompt")
        for (prompt,) in prompts:
            if identify(prompt) not in (language, None):
                found.append(f"the reply must be in {language!r}, but repeat {prompt[:60]!r}.")
        for text in _required(instructions):
            if (text,) not in prompts and foreign_sentence(Reply(text), language) is not None:
                found.append(f"the reply must be in {language!r}, but hold {text[:60]!r}.")
    for low, high in _values(instructions, "count:word_range"):
        if low > high:
            found.append(f"count:word_range asks for {low} to {high} words.")
    for source, start, end in _values(instructions, "copy:span"):
        if start > end:
            found.append(f"copy:span asks for the words {start} to {end}.")
        elif end > (held := len(source.split())):
            found.append(f"copy:span asks for the words {start} to {end} of {held}.")
    for instruction in instructions:
        if instruction.kind.name == "length_constraints:nth_paragraph_first_word":
            number, nth = (instruction.values[k] for k in ("num_paragraphs", "nth_paragraph"))
            if nth > number:
                found.append("nth_paragraph is more than num_paragraphs.")
    return found


def _values(instructions: Sequence[Instruction], name: str) -> list[tuple[Any, ...]]:
    return [tuple(i.values.values()) for i in instructions if i.kind.name == name]  # as in `fields`


def _required(instructions: Sequence[Instruction]) -> list[str]:
    """Texts that a reply must hold."""
    found: list[str] = []
    for instruction in instructions:
        values = instruction.values
        match instruction.kind.name:
            case "keywords:existence":
                found += values["keywords"]
            case "keywords:frequency" if values["relation"] == "at least" and values["frequency"]:
                found.append(values["keyword"])
            case "startend:end_checker":
                found.append(values["end_phrase"])
            case "combination:repeat_prompt":
                found.append(values["prompt_to_repeat"])
            case "position:last_word" | "position:nth_word" | "position:keyword_in_sentence":
                found.append(values["word"])
            case "copy:sentence_times":
                found.append(values["sentence"])
    return found


def _ranges(instructions: Sequence[Instruction]) -> list[str]:
    """Lower bounds that meet upper bounds."""
    low: dict[str, int] = {}
    high: dict[str, int] = {}
    for instruction in instructions:
        if instruction.kind.name not in _BOUNDS:
            continue
        what, bound, relation = _BOUNDS[instruction.kind.name]
        values = instruction.values
        about = str(values.get("keyword", values.get("letter", ""))).lower()
        key = f"{what} {about!r}" if about else what
        number = values[bound]
        if values[relation] == "at least":
            low[key] = max(low.get(key, 0), number)
        else:
            high[key] = min(high.get(key, number), number)
    return [
        f"{key}: less than {high[key]} and at least {low.get(key, 0)} exclude each other."
        for key in high
        if low.get(key, 0) >= high[key]
    ]

"""For each kind of instruction, a small change of a good reply that breaks it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Breaker = Callable[[str, Mapping[str, Any]], str]


def _without(text: str, piece: str) -> str:
    return re.sub(re.escape(piece), "", text, flags=re.IGNORECASE)


def _bound(more: Breaker, fewer: Breaker, relation: str) -> Breaker:
    return lambda text, v: (more if v[relation] == "less than" else fewer)(text, v)


def _start(text: str, _: Mapping[str, Any]) -> str:
    return " ".join(text.split()[:3])


def _add(tail: str) -> Breaker:
    return lambda text, _: text + tail


def _other_language(_: str, values: Mapping[str, Any]) -> str:
    if values["language"] == "en":
        return "Dies ist ein Satz, der nicht auf Englisch ist, und das ist falsch."
    return "This is a sentence in English, and that is not what was asked for."


BREAKERS: dict[str, Breaker] = {
    "keywords:existence": lambda t, v: _without(t, v["keywords"][0]),
    "keywords:frequency": _bound(
        lambda t, v: t + f" {v['keyword']}" * max(1, v["frequency"]),
        lambda t, v: _without(t, v["keyword"]),
        "relation",
    ),
    "keywords:forbidden_words": lambda t, v: f"{t} {v['forbidden_words'][0]}",
    "keywords:letter_frequency": _bound(
        lambda t, v: t + f" {v['letter']}" * max(1, v["let_frequency"]),
        # the published check replaces other characters by a random letter: only "" surely fails
        lambda t, v: _without(t, v["letter"]) if v["letter"].isalpha() else "",
        "let_relation",
    ),
    "language:response_language": _other_language,
    "length_constraints:number_sentences": _bound(
        lambda t, v: t + " So it is." * v["num_sentences"] + " So it was.",
        lambda t, v: _start(t, v) if v["num_sentences"] > 1 else "",
        "relation",
    ),
    "length_constraints:number_words": _bound(
        lambda t, v: t + " word" * v["num_words"], _start, "relation"
    ),
    "length_constraints:number_paragraphs": _add("\n***\nOne more paragraph stands here."),
    "length_constraints:nth_paragraph_first_word": _add("\n\nOne more paragraph stands here."),
    "detectable_content:number_placeholders": lambda t, v: t.replace("[", ""),
    "detectable_content:postscript": lambda t, v: re.sub(r"[pP]\W{0,2}", "", t),
    "detectable_format:number_bullet_lists": _add("\n* one more point"),
    "detectable_format:constrained_response": lambda t, v: "My answer is unknown.",
    "detectable_format:number_highlighted_sections": lambda t, v: t.replace("*", ""),
    "detectable_format:multiple_sections": lambda t, v: _without(t, v["section_spliter"]),
    "detectable_format:json_format": _add(" and more"),
    "detectable_format:title": lambda t, v: t.replace("<<", ""),
    "combination:two_responses": lambda t, v: t.replace("*", ""),
    "combination:repeat_prompt": lambda t, v: f"Sure. {t}",
    "startend:end_checker": _add(" Bye then"),
    "startend:quotation": _add(" and more"),
    "change_case:capital_word_frequency": _bound(
        lambda t, v: t + " LOUD" * max(1, v["capital_frequency"]),
        lambda t, v: t.lower(),
        "capital_relation",
    ),
    "change_case:english_capital": lambda t, v: t.lower(),
    "change_case:english_lowercase": lambda t, v: t.upper(),
    "punctuation:no_comma": _add(", or so"),
    "count:word_range": lambda t, v: t + " more" * v["high"],
    "count:unique_words": _start,
    "count:numbers": _add(" 17 and 18"),
    "count:questions": _add("\n\nIs it so?"),
    "count:keyword_exact": lambda t, v: f"{t} {v['keyword']}",
    "count:lines": _add("\nOne more line."),
    "count:conjunctions": lambda t, v: "No such words here.",
    # all of them: a text that lacks one is mended by whatever sentence is put behind it
    "count:marks": lambda t, v: t.translate(dict.fromkeys(map(ord, "".join(v["marks"])))),
    "ratio:stop_words": lambda t, v: "It is of the in and to a by on at for it is as the.",
    "ratio:long_words": lambda t, v: "It is so.",
    # several: a statement that is added to one too many would restore the ratio
    "ratio:questions": _add(" Is it so? Is that right? Is it true?"),
    "position:nth_word": lambda t, v: f"Well {t}",
    "position:last_word": _add(" otherwise"),
    "position:keyword_in_sentence": lambda t, v: _without(t, v["word"]),
    "position:acrostic": lambda t, v: f"Well now. {t}",
    "position:paragraph_ring": _add(" extra"),
    "words:max_letters": _add(" extraordinarily-overlong"),
    "words:chain": _add(" Otherwise nothing."),
    "sentence:increment": _add(" Yes."),
    "copy:span": lambda t, v: f"Well {t}",
    "copy:sentence_times": lambda t, v: f"{t} {v['sentence']}",
    "format:numbered_list": _add("\n99. One more"),
    "format:sub_bullets": _add("\n* One more point"),
    "format:table": lambda t, v: t.replace("|", " "),
    "format:separator": lambda t, v: f"{t}\n{v['mark']}\nOne more part.",
}

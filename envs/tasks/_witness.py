"""A reply that follows a set of instructions, built from the instructions themselves.

`build` writes sentences about the subject from `_filler`, gives them the shape that is asked for,
and returns the first text that the checker passes. Not every set can be met this way (and some by
no reply at all): then it returns None.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count, islice
from typing import Any

from corgi_gym.envs.tasks import _filler as filler
from corgi_gym.rewards.instructions.checker import follows, read_target
from corgi_gym.rewards.instructions.keywords import whole_word
from corgi_gym.rewards.text import words

# Attempts (banks, lengths) before giving up.
_SIZES = (0, 1, 2, 3, 5, 8, 13)
_MAX_SENTENCES = 140

Rows = Sequence[tuple[str, Mapping[str, Any]]]
# Subjects where a target names none; the first without an unwanted letter is used.
_ANY_SUBJECT = ("music", "land", "fog", "sheep", "hope")
_LANGUAGE, _QUOTES = "language:response_language", "startend:quotation"
_BULLETS = "detectable_format:number_bullet_lists"


def build(target: Mapping[str, Any], start: int = 0) -> str | None:
    """A reply that earns 1.0 for a target of `instruction_following`, or None.

    Args:
        target: The target, with its subject words under ``topic``.
        start: Where in the list of sentences to begin, so that witnesses differ.
    """
    rows = [(row["kind"], row.get("kwargs", {})) for row in target["instructions"]]
    topic = list(target.get("topic") or _ANY_SUBJECT)
    wanted = read_target(target)
    order = list(wanted.instructions)
    tried: set[str] = set()  # more sentences often make no difference
    writer = _Writer(rows, topic, start)
    for bank in _banks(rows):
        writer.use(bank)
        for extra in _SIZES:
            text = writer.text(extra)
            if text not in tried and follows(text, wanted, order):
                return text
            tried.add(text)
            if not writer.grows:
                break
    return None


def _banks(rows: Rows) -> list[Sequence[str]]:
    language = next((v["language"] for kind, v in rows if kind == _LANGUAGE), "en")
    if language != "en":
        text = filler.FOREIGN[language]
        return [[s.strip() for s in re.split(r"(?<=[.\u0964\u3002\u06d4])\s*", text) if s.strip()]]
    return _ENGLISH


_ENGLISH: list[Sequence[str]] = [
    filler.BANK,
    filler.SHORT,
    filler.DENSE,
    filler.LONG,
    (*filler.SPARSE, *filler.SHORT, *filler.BANK),
]


class _Writer:
    """Writes with the sentences of one bank at a time."""

    def __init__(self, rows: Rows, topic: Sequence[str], start: int) -> None:
        self.start = start
        self.wanted: dict[str, list[Mapping[str, Any]]] = {}
        for kind, values in rows:
            self.wanted.setdefault(kind, []).append(values)
        self.foreign = self._get(_LANGUAGE, "language", "en") != "en"
        self.banned = [
            whole_word(word)
            for word in self._get("keywords:forbidden_words", "forbidden_words", ())
        ]
        self.rare = self._rare_keywords()
        good = [w for w in topic if not self._is_banned(w) and w.lower() not in self.rare]
        self.topic = good or list(_ANY_SUBJECT)
        self.unwanted = self._letter("less than")
        if self.unwanted:
            self.topic.sort(key=lambda w: w.lower().count(self.unwanted))
            self.topic = [w for w in self.topic if self.unwanted not in w.lower()] or self.topic
        self.shape = next((kind for kind in _SHAPES if kind in self.wanted), None)
        self.least, self.asked = self._least(), self._asked()

    # ------------------------------------------------------------------ sentences

    def _all(self, kind: str, relation: str | None = None) -> list[Mapping[str, Any]]:
        """The values of each instruction of a kind, if it has a relation those with this one."""
        found = self.wanted.get(kind)
        if found is None:
            return []
        if relation is None:
            return found
        fields = ("relation", "let_relation", "capital_relation")
        return [v for v in found if relation in [v.get(field) for field in fields]]

    def _get(self, kind: str, field: str, default: Any = None, relation: str | None = None) -> Any:
        found = self._all(kind, relation)
        return found[0][field] if found else default

    def _rare_keywords(self) -> frozenset[str]:
        """Words that may not be used freely."""
        counted = self._all("keywords:frequency", "less than") + self._all("count:keyword_exact")
        return frozenset(str(values["keyword"]).lower() for values in counted)

    def _is_banned(self, text: str) -> bool:
        return any(pattern.search(text) for pattern in self.banned)

    def _letter(self, relation: str) -> str:
        """A letter that must be frequent, or rare."""
        return str(self._get("keywords:letter_frequency", "letter", "", relation)).lower()

    def use(self, sentences: Sequence[str]) -> None:
        """Write with these: without forbidden words, those with few of an unwanted letter first."""
        good = bank = list(sentences)
        if self.banned or self.rare:
            good = [
                s for s in bank if not self._is_banned(s) and self.rare.isdisjoint(_lower_words(s))
            ]
            good = good or bank
        first = self.start % len(good)
        good = good[first:] + good[:first]
        wanted = self._letter("at least")
        if self.unwanted:
            good.sort(key=lambda s: (s.lower().count(self.unwanted), len(s)))
            free = [s for s in good if self.unwanted not in s.lower()]
            good = free if len(free) > 2 else good
        elif wanted:
            good.sort(key=lambda s: -s.lower().count(wanted) / len(s))
        self.bank = good

    def _sentences(self) -> Iterator[str]:
        if self.foreign:
            both = " / ".join(self.topic[:2])
            yield from (self.bank[i % len(self.bank)].format(w=both) for i in count())
        if len(self.topic) > 1:
            both = f"{self.topic[0]} and {self.topic[1]}"
            yield self.bank[0].format(w=both)
        for i in count(1):
            word = self.topic[(i + i // len(self.bank)) % len(self.topic)]
            yield self.bank[i % len(self.bank)].format(w=word)

    def _take(self, number: int) -> list[str]:
        return list(islice(self.stream, number))

    def _needed(self) -> int:
        """Sentences to write."""
        return min(self.least + self.extra, _MAX_SENTENCES)

    def _least(self) -> int:
        """Sentences for the topic and every lower bound."""
        length = "length_constraints:number_"
        return max(
            1,
            self._get(f"{length}sentences", "num_sentences", 0, "at least"),
            self._get(f"{length}words", "num_words", 0, "at least") // 9,
            self._get("count:word_range", "low", 0) // 9,
            self._get("count:unique_words", "number", 0) // 5,
            self._get("position:keyword_in_sentence", "n", 0),
        )

    def _special(self) -> list[str]:
        """Sentences that single instructions need."""
        made = list(self.asked)
        for _ in range(self._get("copy:sentence_times", "times", 0)):
            made += [self._get("copy:sentence_times", "sentence"), *self._take(1)]
        return made

    def _asked(self) -> list[str]:
        """Those of them that are the same in every text."""
        made: list[str] = []
        first = self.topic[0]
        tails = filler.TAILS
        for word in self._get("keywords:existence", "keywords", ()):
            # in another language, English beside the word would be wrong
            made.append(f"{word}." if self.foreign else f"Here we also think of {word} today.")
        for values in self._all("keywords:frequency", "at least"):
            word = values["keyword"]
            for i in range(0, values["frequency"], 2):
                made.append(f"We find {word} after {word} {tails[(i // 2) % len(tails)]}.")
        for values in self._all("count:keyword_exact"):
            for i in range(values["times"]):
                made.append(f"We find {values['keyword']} {tails[i % len(tails)]}.")
        for values in self._all("keywords:letter_frequency", "at least"):
            letter = values["letter"].lower()
            some = filler.RARE.get(letter, ())
            made += [some[i % len(some)] for i in range(values["let_frequency"] // 6) if some]
            made += some[:1]
        loud = self._get("change_case:capital_word_frequency", "capital_frequency", 0, "at least")
        if loud:
            shouted = [w.upper() for s in filler.BANK for w in words(s) if len(w) > 2][:loud]
            made.append(f"We say {' '.join(shouted)}.")
        for i in range(self._get("count:questions", "number", 0)):
            made.append(filler.QUESTIONS[i % len(filler.QUESTIONS)].format(w=first))
        for i in range(self._get("count:numbers", "number", 0)):
            made.append(f"In the year {1901 + 7 * i} we wrote about {first}.")
        if "count:conjunctions" in self.wanted:
            made.append(filler.CONJUNCTIONS)
        for mark in self._get("count:marks", "marks", ()):
            made.append(f"Here is one thing{mark} it is about {first}.")
        for i in range(self._get("detectable_content:number_placeholders", "num_placeholders", 0)):
            about = f"about {self.topic[i % len(self.topic)]} {tails[i % len(tails)]}"
            name = f"[name {_label(i)}]"
            made.append(f"{name}." if self.foreign else f"Ask {name} {about}.")
        highlights = "detectable_format:number_highlighted_sections"
        for i in range(self._get(highlights, "num_highlights", 0)):
            made.append(f"We meet *{tails[i % len(tails)]} {_label(i)}* soon.")
        return made

    @property
    def extra(self) -> int:
        """How many sentences more to write; who asks makes a text that can grow."""
        self.grows = True
        return self._extra

    # ------------------------------------------------------------------ body

    def _body(self) -> str:
        if self.shape is None:
            return self._plain()
        body = _SHAPES[self.shape](self, self._all(self.shape)[0])
        if self.shape != _BULLETS and _BULLETS in self.wanted:
            points = self._take(self._get(_BULLETS, "num_bullets"))
            body += "\n" + "\n".join(f"* {point}" for point in points)
        return body

    def _plain(self) -> str:
        special = self._special()
        made = [*self._take(max(1, self._needed() - len(special))), *special]
        for values in self._all("position:keyword_in_sentence"):
            made.insert(values["n"] - 1, f"Here is {values['word']} with {self.topic[0]}.")
        if "count:word_range" in self.wanted:
            made = self._fill(made, in_order="position:keyword_in_sentence" in self.wanted)
        number = self._get("count:lines", "number", 0)
        if number:
            return "\n".join((made + self._take(number))[:number])
        most = self._get("length_constraints:number_sentences", "num_sentences", 0, "less than")
        if most > 1 and len(made) >= most:
            titled = "detectable_format:title" in self.wanted
            made = _joined(made, max(1, most - 1 - titled))
        return " ".join(made)

    def _fill(self, made: list[str], in_order: bool) -> list[str]:
        """Whole sentences up to the allowed number of words, the last of a fitting size."""
        low, high = (self._get("count:word_range", k) for k in ("low", "high"))
        kept: list[str] = []
        for sentence in made if in_order else reversed(made):  # the needed ones come last
            if len(words(" ".join([*kept, sentence]))) <= high - 5 or not kept:
                kept.append(sentence)
        missing = low - len(words(" ".join(kept)))
        return [*kept, self._sized(missing)] if missing > 0 else kept

    def _sized(self, number: int) -> str:
        """A sentence of exactly ``number`` words (at least four)."""
        made = f"We like {self.topic[0]} here".split()
        tails = iter(filler.TAILS * 20)
        while number - len(made) >= 4:
            tail = next(tails).split()
            made += tail[: number - len(made)] if len(tail) <= number - len(made) else []
        made += filler.ONE_WORD_TAILS[: max(0, number - len(made))]
        return " ".join(made[: max(4, number)]) + "."

    def _groups(self, number: int) -> list[str]:
        made = [*self._special(), *self._take(max(self._needed(), number))]
        if number == 2 and "combination:two_responses" in self.wanted:
            return [" ".join(made[::2]), " ".join(made[1::2])]
        return [" ".join(made[i::number]) for i in range(number)]

    def _parts(self, number: int, mark: str) -> str:
        return mark.join(self._groups(number))

    def _nth_paragraph(self, values: Mapping[str, Any]) -> str:
        groups = self._groups(values["num_paragraphs"])
        word = str(values["first_word"]).capitalize()
        groups[values["nth_paragraph"] - 1] = (
            f"{word} is the first word here. " + groups[values["nth_paragraph"] - 1]
        )
        return "\n\n".join(groups)

    def _sections(self, values: Mapping[str, Any]) -> str:
        groups = self._groups(values["num_sections"])
        mark, number = values["section_spliter"], values["num_sections"]
        text = "\n\n".join(f"{mark} {i}\n{part}" for i, part in enumerate(groups, start=1))
        if "combination:two_responses" not in self.wanted:
            return text
        again = [f"{mark} {i}\n{part}" for i, part in enumerate(self._take(number), start=1)]
        return "\n******\n".join((text, "\n\n".join(again)))

    def _listed(self, number: int, mark: str) -> str:
        groups = self._groups(max(number, 1))
        marks = [mark or f"{i}." for i in range(1, number + 1)]
        return "\n".join(f"{m} {text}" for m, text in zip(marks, groups, strict=False))

    def _sub_bullets(self, values: Mapping[str, Any]) -> str:
        groups = self._groups(2 * (values["number"] or 2))
        pairs = zip(groups[::2], groups[1::2], strict=True)
        return "\n".join(f"* {one}\n  - {two}" for one, two in pairs)

    def _table(self, values: Mapping[str, Any]) -> str:
        columns = values["columns"]
        head = "| " + " | ".join(f"Part {chr(65 + i)}" for i in range(columns)) + " |"
        cells = [s.rstrip(".") for s in self._take(columns * values["rows"])]
        rows = [cells[i * columns : (i + 1) * columns] for i in range(values["rows"])]
        table = [head, "|" + "---|" * columns, *("| " + " | ".join(r) + " |" for r in rows)]
        return " ".join([*self._special(), *self._take(1)]) + "\n\n" + "\n".join(table)

    def _acrostic(self, values: Mapping[str, Any]) -> str:
        made = []
        for i, letter in enumerate(str(values["letters"]).lower()):
            word, tail = self.topic[i % len(self.topic)], filler.TAILS[i % len(filler.TAILS)]
            made.append(f"{filler.OPENERS[letter]} we talk about {word} {tail}.")
        return " ".join(made)

    def _ring(self, values: Mapping[str, Any]) -> str:
        made = []
        for i in range(values["number"]):
            word = self.topic[i % len(self.topic)]
            tail = filler.TAILS[i % len(filler.TAILS)]
            made.append(f"{word.capitalize()} is what we mean {tail} when we speak of {word}.")
        return "\n\n".join(made)

    def _chain(self, values: Mapping[str, Any]) -> str:
        places = ["bread", "music", "rain", "gardens", "stories", "winter", "coffee", "trains"]
        links = [*self.topic[:3], *(p for p in places if not self._is_banned(p))]
        made = []
        for i in range(values["sentences"]):
            tail = filler.TAILS[i % len(filler.TAILS)]
            made.append(f"{links[i].capitalize()} {tail} goes well with {links[i + 1]}.")
        return " ".join(made)

    def _increment(self, values: Mapping[str, Any]) -> str:
        start = 4 + self.extra
        made = [self._sized(start + i * values["step"]) for i in range(values["sentences"])]
        word = self.topic[-1]
        if len(self.topic) > 1:
            made[-1] = made[-1].replace(self.topic[0], word)
        return " ".join(made)

    def _ratio(self, values: Mapping[str, Any]) -> str:
        asked = [
            filler.QUESTIONS[i].format(w=self.topic[i % len(self.topic)])
            for i in range(values["questions"])
        ]
        return " ".join([*self._take(values["statements"]), *asked])

    # ------------------------------------------------------------------ the whole reply

    def text(self, extra: int) -> str:
        """Head, body and tail, in the case and the wrapping that is asked for.

        Args:
            extra: How many sentences more than are needed.
        """
        self.stream, self.grows = self._sentences(), False
        self._extra = extra
        if "detectable_format:constrained_response" in self.wanted:
            return "My answer is no."
        body = self._body()
        for values in self._all("position:nth_word"):
            body = f"{self._nth_word(values)} {body}"
        head = []
        if "combination:repeat_prompt" in self.wanted:
            head.append(self._get("combination:repeat_prompt", "prompt_to_repeat").strip())
        for values in self._all("copy:span"):
            head.append(" ".join(values["source"].split()[values["start"] - 1 : values["end"]]))
        if "detectable_format:title" in self.wanted:
            name = " ".join(self.bank[0].split()[:2]) if self.foreign else "A note"
            head.append(f"<<{name}>>")
        tail = []
        if "detectable_content:postscript" in self.wanted:
            marker = self._get("detectable_content:postscript", "postscript_marker")
            tail.append(f"{marker} {self._take(1)[0]}")
        for values in self._all("position:last_word"):
            tail.append(f"It ends with {values['word']}.")
        for values in self._all("startend:end_checker"):
            tail.append(str(values["end_phrase"]))
        blank = "length_constraints:nth_paragraph_first_word", "position:paragraph_ring"
        text = ("\n" if self.wanted.keys() & {*blank, "count:lines"} else "\n\n").join(
            [*head, body, *tail]
        )
        if "change_case:english_capital" in self.wanted:
            text = text.upper()
        if "change_case:english_lowercase" in self.wanted:
            text = text.lower()
        if "punctuation:no_comma" in self.wanted and not head:
            text = text.replace(",", "")
        if _QUOTES in self.wanted:
            text = f'"\n{text}\n"' if _BULLETS in self.wanted else f'"{text}"'
        if "detectable_format:json_format" in self.wanted:
            text = json.dumps({"reply": text}, ensure_ascii=False)
        return text

    def _nth_word(self, values: Mapping[str, Any]) -> str:
        before = [
            "in",
            "short",
            "and",
            "in",
            "a",
            "few",
            "plain",
            "words",
            "we",
            "can",
            "say",
            "right",
            "here",
            "that",
        ]
        before = before[: values["n"] - 1]
        start = " ".join([*before, values["word"]])
        return f"{start[0].upper()}{start[1:]} is on our mind."


_SHAPES: dict[str, Callable[[_Writer, Mapping[str, Any]], str]] = {
    "length_constraints:nth_paragraph_first_word": _Writer._nth_paragraph,
    "length_constraints:number_paragraphs": lambda w, v: w._parts(v["num_paragraphs"], "\n***\n"),
    "detectable_format:multiple_sections": _Writer._sections,
    "combination:two_responses": lambda w, v: w._parts(2, "\n******\n"),
    "format:separator": lambda w, v: w._parts(v["parts"], f"\n{v['mark']}\n"),
    "detectable_format:number_bullet_lists": lambda w, v: w._listed(v["num_bullets"], "*"),
    "format:numbered_list": lambda w, v: w._listed(v["number"], ""),
    "format:sub_bullets": _Writer._sub_bullets,
    "format:table": _Writer._table,
    "position:acrostic": _Writer._acrostic,
    "position:paragraph_ring": _Writer._ring,
    "words:chain": _Writer._chain,
    "sentence:increment": _Writer._increment,
    "ratio:questions": _Writer._ratio,
}


@lru_cache(maxsize=512)  # the banks have fewer sentences
def _lower_words(sentence: str) -> frozenset[str]:
    return frozenset(words(sentence.lower()))


def _label(number: int) -> str:
    return chr(97 + number % 26) + chr(97 + number // 26)


def _joined(sentences: Sequence[str], number: int) -> list[str]:
    """The same words in ``number`` sentences."""
    size = -(-len(sentences) // number)
    groups = [sentences[i : i + size] for i in range(0, len(sentences), size)]
    return [" and ".join(s.rstrip(".!?") for s in group) + "." for group in groups]

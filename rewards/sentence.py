"""Is this one well-formed English sentence, and if not, what is wrong with it?

Source: none of the papers has this check. CORGI's CommonGen tasks (arXiv 2411.01483) ask a language
model whether a sentence makes common sense, and its hard variant asks nothing, so a list of the
words passes. A policy trained against rules on length, commas and repetition alone ended at "Music
cloud's cloud and star's ash smoke to the forest, ash smoke." Hence a grammar
(`corgi_gym.rewards.grammar`): what solves a task must parse. The other rules here are about what a
grammar does not see: capitals, the full stop, unknown words, repetition.

A statistical tagger alone is not used as judge, because it is wrong on one word in fourteen: it
only adds readings of ambiguous words, so its mistakes rarely refuse a good sentence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace

from corgi_gym.rewards import _wordlists as lists
from corgi_gym.rewards.grammar import Grammar, Token
from corgi_gym.rewards.lexicon import CLOSED, is_known, lemmas, readings, stem, verb_lemmas
from corgi_gym.rewards.text import quote
from corgi_gym.rewards.verdict import Problem

# Bounds on one sentence. The longest witness has 28 words; 40 words are a long everyday sentence.
MIN_WORDS, MAX_WORDS = 4, 40
# Longer replies are refused before anything is parsed.
MAX_CHARS = 400
# How often one function word may occur ("the ... the ... the"), by word; others at most twice.
MAX_USES = {"the": 6, "a": 5, "an": 3, "and": 3, ",": 3, "to": 3, "of": 3, "in": 3, "his": 3,
            "her": 3, "their": 3, "my": 3, "is": 3, "was": 3, "he": 3, "she": 3, "they": 3}  # fmt: skip
MAX_NAMES = 2
# Form: what a problem costs, the least that a sentence keeps, and the most that a non-sentence gets.
# Below 1/6, or stuffing two given words would beat a sentence with one of them: see `concepts`.
COST, LEAST, NO_SENTENCE = 0.2, 0.2, 0.15
# Sentences of one reply that are parsed; more are refused anyway.
_MAX_PARSED = 3

_TOKEN = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*['’]?|,")
_ENDS = re.compile(r"[.!?]+")
_SYMBOL = re.compile(r"[^\w\s,.!?'’“”\"-]|_|\s-+\s|--+|…")
_QUOTED = re.compile(r"""^(["“'])([^"“”]*)(["”'])$""")
_TITLE = re.compile(r"\b(Mr|Mrs|Ms|Dr)\.")
_CONTRACTION = re.compile(r"(.+?)(n't|'m|'re|'ve|'ll|'d|'s)$")
# Before "'s" these words are subjects, so it is a verb; elsewhere it is a possessive.
_SUBJECTS = lists.SUBJECT_ONE | {"there", "here", "what", "who", "where", "how", "let"}
_NOUN = frozenset(("Ns", "Nm", "Np"))


@dataclass(frozen=True, slots=True)
class Report:
    """What is wrong with a sentence, and its form in [0, 1] (1.0 exactly when nothing is)."""

    problems: tuple[Problem, ...]
    form: float


def examine(text: str, apart: Collection[str] = ()) -> Report:
    """Judge ``text`` as one sentence. Never raises; what is parsed is bounded in length.

    Args:
        text: The reply.
        apart: Lemmas of which no two may form a compound noun ("dog ball").

    Example:
        >>> examine("The girl carried a basket across the field.").problems
        ()
        >>> [p.kind for p in examine("Girl, basket, field.").problems]
        ['length', 'grammar']
    """
    text = text.strip()
    if len(text) > MAX_CHARS:
        return Report((Problem("length", f"Write one sentence of at most {MAX_WORDS} words."),), 0.0)
    quoted = _QUOTED.match(text)
    text = _TITLE.sub(r"\1", quoted[2].strip() if quoted else text)
    words = [word for word in _TOKEN.findall(text) if word != ","]
    if not words:
        return Report((Problem("length", "Write one English sentence."),), 0.0)
    problems = [*_shape(text, words), *_vocabulary(words), *_repetition(words)]
    parsed, grammar = _grammar(text, apart)
    problems.extend(grammar)
    if parsed < 1.0:
        return Report(tuple(problems), NO_SENTENCE * parsed)
    return Report(tuple(problems), max(LEAST, 1.0 - COST * len(problems)))


def _shape(text: str, words: list[str]) -> list[Problem]:
    """Length, capital, full stop and symbols."""
    problems = []
    if not MIN_WORDS <= len(words) <= MAX_WORDS:
        asked = f"Write {MIN_WORDS} to {MAX_WORDS} words."
        problems.append(Problem("length", f"Your sentence has {len(words)} words. {asked}"))
    ends = list(_ENDS.finditer(text))
    if "\n" in text or len(ends) > 1:
        problems.append(Problem("one_sentence", "Write exactly one sentence on one line."))
    elif not ends or ends[0].end() != len(text) or len(ends[0][0]) > 1:
        problems.append(Problem("ending", "End the sentence with one full stop."))
    if not text[0].isupper() and not text[0].isdigit():
        problems.append(Problem("capital", "Start with a capital letter."))
    if sum(word.isupper() and len(word) > 2 for word in words) > 1:
        problems.append(Problem("capital", "Do not write in capital letters."))
    symbol = _SYMBOL.search(text) or re.search(r"[\"“”]", text)
    if symbol:
        problems.append(Problem("symbols", f"Do not use the sign {quote(symbol[0].strip(), 4)}."))
    if sum(word.isdigit() for word in words) > 1 or any(_is_code(word) for word in words):
        problems.append(Problem("symbols", "Use words instead of digits."))
    return problems


def _is_code(word: str) -> bool:
    """Whether a word mixes digits and letters, or is a long number."""
    digits = sum(c.isdigit() for c in word)
    return digits > 4 or 0 < digits < len(word)


def _vocabulary(words: list[str]) -> list[Problem]:
    """Unknown words, and too many names."""
    strange = [
        word
        for i, word in enumerate(words)
        if not (word.isdigit() or is_known(_uncontracted(word)) or _is_name(word, i == 0))
    ]
    problems = []
    if strange:
        problems.append(Problem("vocabulary", f"{quote(strange[0], 24)} is not an English word."))
    if sum(_is_name(w, i == 0) for i, w in enumerate(words)) > MAX_NAMES:
        problems.append(Problem("vocabulary", "Use fewer names."))
    return problems


def _uncontracted(word: str) -> str:
    """The word before "n't", "'m" and the like."""
    parts = _CONTRACTION.match(word.replace("’", "'"))
    return parts[1] if parts else word


def _is_name(word: str, first: bool) -> bool:
    """Whether a word is read as a name: a capital, and no dictionary word or a known name."""
    base = stem(word)
    if not word[0].isupper() or _uncontracted(word) in ("I", "TV", "OK"):
        return False
    return base in lists.NAMES or base.isalpha() and not is_known(base)


def _repetition(words: list[str]) -> list[Problem]:
    """Content words used twice (by lemma), and function words used too often."""
    seen: dict[str, int] = {}
    for i, word in enumerate(words):
        base = stem(word)
        if base in CLOSED or _CONTRACTION.match(base):
            continue
        previous = [seen[lemma] for lemma in lemmas(base) if lemma in seen]
        # "side by side", "higher and higher"
        idiom = ("by", "to", "in", "after", "and" if base.endswith("er") else "by")
        if previous and not (i - max(previous) == 2 and words[i - 1] in idiom):
            return [Problem("repeated", f"You used {quote(word.lower(), 24)} twice.")]
        seen.update(dict.fromkeys(lemmas(base), i))
    counts = Counter(stem(word) for word in words if stem(word) in CLOSED)
    for word, count in counts.items():
        if count > MAX_USES.get(word, 2):
            return [Problem("repeated", f"You used {quote(word, 24)} {count} times.")]
    return []


def _grammar(text: str, apart: Collection[str]) -> tuple[float, list[Problem]]:
    """The share of the text that parses (1.0: each sentence does), and what went wrong."""
    pieces = [piece for piece in _ENDS.split(text.replace("\n", ".")) if _TOKEN.search(piece)]
    if sum(len(_TOKEN.findall(piece)) for piece in pieces) > 2 * MAX_WORDS:
        return 0.0, [Problem("grammar", "Write one shorter sentence.")]
    for piece in pieces[:_MAX_PARSED]:
        tokens, shown = tokenise(_SYMBOL.sub(" ", piece), apart)
        if len(tokens) > MAX_WORDS + 10:
            return 0.5, []
        grammar = Grammar(tokens, asks="?" in text)
        if not grammar.accepts():
            return 0.99 * grammar.far / len(tokens), [_explain(tokens, shown, grammar.far)]
    return 1.0, []


def _explain(tokens: list[Token], shown: list[str], far: int) -> Problem:
    """The most useful short sentence about why no analysis went beyond ``far``."""
    far = min(far, len(tokens) - 1)
    for i, (one, two) in enumerate(zip(tokens, tokens[1:], strict=False)):
        if one.apart and two.apart and one.readings & _NOUN and two.readings <= _NOUN:
            pair = quote(f"{shown[i]} {shown[i + 1]}")
            return Problem("glued", f"Do not put given words side by side: {pair}.")
    if not any(_can_be_finite(token) for token in tokens):
        return Problem("verb", "Your sentence has no verb.")
    for i in range(2, len(tokens)):
        run = tokens[i - 2 : i + 1]
        if all(t.readings and t.readings <= _NOUN for t in run):
            chain = " ".join(shown[i - 2 : i + 1])
            return Problem("noun_chain", f"Do not put nouns in a row: {quote(chain)}.")
    for i, token in enumerate(tokens[: far + 1]):
        if token.readings == {"Ns"} and (i == 0 or tokens[i - 1].word in _BEFORE_BARE):
            return Problem("article", f'Write "a" or "the" before {quote(shown[i], 24)}.')
    return Problem("grammar", f"The sentence goes wrong at {quote(shown[far], 24)}.")


_BEFORE_BARE = lists.PREPOSITIONS | lists.CONJUNCTIONS | {","}


def _can_be_finite(token: Token) -> bool:
    finite = {*lists.MODALS, *lists.BE, *lists.HAVE, *lists.DO, "'s"}
    return token.word in finite or not token.readings.isdisjoint(("VBD", "VBZ", "VBP"))


def tokenise(text: str, apart: Collection[str] = ()) -> tuple[list[Token], list[str]]:
    """The words and commas of one sentence with their readings, and how each is spelt.

    Example:
        >>> [token.word for token in tokenise("She doesn't like Emma's dog.")[0]]
        ['she', 'does', "n't", 'like', 'emma', 'dog']
    """
    from denckring_en_pos import tagger

    spelt: list[str] = []
    for raw in _TOKEN.findall(text):
        word = raw.replace("’", "'")
        parts = _CONTRACTION.match(word)
        if parts and (parts[2] != "'s" or parts[1].lower() in _SUBJECTS):
            spelt.extend((parts[1], parts[2]))
        else:
            spelt.append(word)
    tags = tagger().tag(spelt)
    tokens = [_token(word, tag, i == 0) for i, (word, tag) in enumerate(zip(spelt, tags, strict=True))]
    for i in range(2, len(tokens)):  # "New York": a capital word beside a name belongs to it
        if spelt[i - 1][0].isupper() and "NAME" in tokens[i].readings:
            tokens[i - 1] = replace(tokens[i - 1], readings=tokens[i - 1].readings | {"NAME"})
    if apart:
        tokens = [replace(t, apart=not lemmas(t.word).isdisjoint(apart)) for t in tokens]
    return tokens, spelt


def _token(word: str, tag: str, first: bool) -> Token:
    """One token with its readings."""
    base = stem(word)
    name = _is_name(word, first)
    if word.endswith("'") or word.lower().endswith("'s") and len(word) > 2:
        if name:
            return Token(base, frozenset({"NAMEPOSS"}))
        kinds = readings(base)
        found = {"POSS"} if kinds & _NOUN else set()
        return Token(base, frozenset(found | ({"POSSp"} if kinds & {"Np", "Nm"} else set())))
    if word.isdigit():
        return Token("two", frozenset({"NAME"}))
    if word.lower() in ("'s", "'m", "'re", "'ve", "'ll", "'d", "n't"):
        return Token(word.lower(), frozenset())
    found = readings(base, tag.startswith("VERB")) | ({"NAME"} if name else set())
    return Token(base, frozenset(found), verb_lemmas(base))

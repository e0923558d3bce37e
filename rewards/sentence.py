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
from functools import lru_cache
from itertools import pairwise, repeat

from corgi_gym.rewards import _wordlists as lists
from corgi_gym.rewards._adjacency import clash
from corgi_gym.rewards._recogniser import openings
from corgi_gym.rewards._sense import nonsense
from corgi_gym.rewards._tagger import tags
from corgi_gym.rewards.grammar import Grammar, Token
from corgi_gym.rewards.lexicon import (
    CLOSED,
    is_everyday,
    is_known,
    lemmas,
    readings,
    stem,
    verb_lemmas,
)
from corgi_gym.rewards.text import plural, quote
from corgi_gym.rewards.verdict import Problem

# Bounds on one sentence. The longest witness has 22 words; 40 words are a long everyday sentence,
# and keep parsing fast. No sentence has fewer than two. (With "at most 40 words" in the prompt
# the 135M model wrote numbered lists, and training found sentences several rounds later.)
MIN_WORDS, MAX_WORDS = 2, 40
# Longer replies are refused before anything is parsed.
MAX_CHARS = 400
# How often one function word may occur ("the ... the ... the"); the others twice.
MAX_USES = {"the": 6, "a": 5} | dict.fromkeys(
    ("an", "and", "to", "of", "in", "his", "her", "their", "my", "is", "was", "he", "she", "they"),
    3,
)
MAX_NAMES = 3
# Words between two uses of a content word, where two are allowed ("its good sides and bad sides").
APART = 2
# Words, commas and parts of contractions that are parsed: lists have a comma after each word.
_MAX_TOKENS = MAX_WORDS + 10
# Form: what a problem costs, the least that a sentence keeps, the most that a non-sentence gets
# (below 1/6, or stuffing two given words would beat a sentence with one of them: see `concepts`).
COST, LEAST, NO_SENTENCE = 0.2, 0.2, 0.15
# Sentences of one reply that are parsed; more are refused anyway.
_MAX_PARSED = 3

_TOKEN = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*['\u2019]?|,")
# Reports kept: attempt after attempt, a corrected reply keeps most of its sentences, and some stay
# as they are. With `MAX_CHARS` characters each, these are a few megabytes.
_KEPT_REPORTS = 2_048
_ENDS = re.compile(r"[.!?]+")
_PIECE = re.compile(r"([^.!?\n]+)([.!?]*)")
_SYMBOL = re.compile(r"[^\w\s,.!?'\u2019\u201c\u201d\"-]|_|\s-+\s|--+|\u2026")
_QUOTED = re.compile(r"""^(["\u201c'])([^"\u201c\u201d]*)(["\u201d'])$""")
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


def examine(text: str, apart: Collection[str] = (), events: bool = False, uses: int = 1) -> Report:
    """Judge ``text`` as one sentence. Never raises; what is parsed is bounded in length.

    Args:
        text: The reply.
        apart: Given lemmas: no two may form a compound noun ("dog ball"), and verbs among them
            are not used as rare nouns ("a carry").
        events: The main clause must tell what happens, not what a thing is ("a dog is an animal").
        uses: How often one of the content words may occur; again only after `APART` other words.

    Example:
        >>> examine("The girl carried a basket across the field.").problems
        ()
        >>> [p.kind for p in examine("Girl, basket, field.").problems]
        ['verb']
    """
    text = text.strip()
    if len(text) > MAX_CHARS:
        return Report(
            (Problem("length", f"Write one sentence of at most {MAX_WORDS} words."),), 0.0
        )
    return _examine(text, frozenset(apart), events, uses)


@lru_cache(maxsize=_KEPT_REPORTS)
def _examine(text: str, apart: frozenset[str], events: bool, uses: int = 1) -> Report:
    quoted = _QUOTED.match(text)
    text = _TITLE.sub(r"\1", quoted[2].strip() if quoted else text)
    words = [word for word in _TOKEN.findall(text) if word != ","]
    if not words:
        return Report((Problem("length", "Write one English sentence."),), 0.0)
    repetition, repeats = _repetition(words, uses)
    problems = [*_shape(text, words), *_vocabulary(words), *repetition, *_articles(words)]
    parsed, grammar = _grammar(text, apart, events)
    problems.extend(grammar)
    if parsed < 1.0:
        return Report(tuple(problems), NO_SENTENCE * parsed)
    faults = len(problems) + max(0, repeats - 1)
    return Report(tuple(problems), max(LEAST, 1.0 - COST * faults))


def _shape(text: str, words: list[str]) -> list[Problem]:
    """Length, capital, full stop and symbols."""
    problems = []
    if not MIN_WORDS <= len(words) <= MAX_WORDS:
        asked = f"Write {MIN_WORDS} to {MAX_WORDS} words."
        problems.append(
            Problem("length", f"Your sentence has {plural(len(words), 'word')}. {asked}")
        )
    ends = list(_ENDS.finditer(text))
    if "\n" in text or len(ends) > 1:
        problems.append(Problem("one_sentence", "Write exactly one sentence on one line."))
    elif not ends or ends[0].end() != len(text) or len(ends[0][0]) > 1:
        problems.append(Problem("ending", "End the sentence with one full stop."))
    if not text[0].isupper() and not text[0].isdigit():
        problems.append(Problem("capital", "Start with a capital letter."))
    if sum(word.isupper() and len(word) > 2 for word in words) > 1:
        problems.append(Problem("capital", "Do not write in capital letters."))
    big = next((w for i, w in enumerate(words) if i and _needless_capital(words, i)), None)
    if big and len(ends) < 2 and "\n" not in text:
        problems.append(Problem("capital", f"Write {quote(big.lower(), 24)} in small letters."))
    symbol = _SYMBOL.search(text) or re.search(r"[\"\u201c\u201d]", text)
    if symbol:
        problems.append(Problem("symbols", f"Do not use the sign {quote(symbol[0].strip(), 4)}."))
    if sum(word.isdigit() for word in words) > 1 or any(_is_code(word) for word in words):
        problems.append(Problem("symbols", "Use words instead of digits."))
    return problems


def _needless_capital(words: list[str], i: int) -> bool:
    """Whether word ``i`` is an everyday word with a capital that is no name or part of one."""
    word = words[i]
    if not word[0].isupper() or word.isupper() or not is_everyday(word):
        return False
    reach = [i - 1, i + 1]
    reach += [k for k in (i - 2, i + 2) if 0 < k < len(words) and words[(i + k) // 2] == "of"]
    beside = [words[k] for k in reach if 0 < k < len(words)]
    part = any(other[0].isupper() for other in beside) or words[i - 1] in lists.TITLES
    return not (part or stem(word) in lists.NAMES | lists.CAPITALS)


@lru_cache(maxsize=1 << 16)
def _is_code(word: str) -> bool:
    """Whether a word mixes digits and letters, or is a long number."""
    digits = sum(c.isdigit() for c in word)
    return digits > 4 or 0 < digits < len(word)


def _vocabulary(words: list[str]) -> list[Problem]:
    """Unknown words, and too many names."""
    strange = [
        word
        for word in words
        if not (word.isdigit() or is_known(_uncontracted(word)) or _is_name(word))
    ]
    problems = []
    if strange:
        problems.append(Problem("vocabulary", f"{quote(strange[0], 24)} is not an English word."))
    if sum(map(_is_name, words)) > MAX_NAMES:
        problems.append(Problem("vocabulary", "Use fewer names."))
    return problems


def _uncontracted(word: str) -> str:
    """The word before "n't", "'m" and the like."""
    word = word.replace("\u2019", "'")
    parts = _CONTRACTION.match(word) if "'" in word else None
    return parts[1] if parts else word


def _is_name(word: str) -> bool:
    """Whether a word is read as a name: a capital, and no dictionary word or a known name."""
    base = stem(word)
    if not word[0].isupper() or _uncontracted(word) in ("I", "TV", "OK"):
        return False
    return base in lists.NAMES or (base.isalpha() and not is_known(base))


# Function words that may follow themselves: "had had", "I know that that", "very very slowly".
_DOUBLED = frozenset(("had", "that", "very", "so", "no", "is"))


def _repetition(words: list[str], uses: int = 1) -> tuple[list[Problem], int]:
    """Words used too often: one problem that names the first, and how many there are.

    Content words may occur once (by lemma), one of them ``uses`` times, function words as often as
    `MAX_USES` says, and most of them never twice in a row.
    """
    seen: dict[str, int] = {}
    counts: Counter[str] = Counter()
    again, spared = [], False
    for i, word in enumerate(words):
        base = stem(word)
        if base in CLOSED or _CONTRACTION.match(base):
            continue
        forms = lemmas(base)
        counts.update(forms)
        previous = [seen[lemma] for lemma in forms if lemma in seen]
        apart = bool(previous) and i - max(previous) > APART
        if apart and not spared and max(counts[form] for form in forms) <= uses:
            previous, spared = [], True
        # "side by side", "higher and higher"
        idiom = ("by", "to", "in", "after", "and" if base.endswith("er") else "by")
        if previous and not (i - max(previous) == 2 and words[i - 1] in idiom):
            again.append(f"You used {quote(word.lower(), 24)} twice.")
        seen.update(dict.fromkeys(forms, i))
    low = [word.lower() for word in words]
    for word, following in pairwise(low):
        if word == following and word in CLOSED and word not in _DOUBLED:
            again.append(f"You used {quote(word, 24)} twice in a row.")
    for word, count in Counter(stem(word) for word in words).items():
        if word in CLOSED and count > MAX_USES.get(word, 2):
            again.append(f"You used {quote(word, 24)} {count} times.")
    return [Problem("repeated", text) for text in again[:1]], len(again)


def _articles(words: list[str]) -> list[Problem]:
    """Report "a apple", "an dog" and "a music" (but not "a music lesson")."""
    low = [word.lower() for word in words]
    for i, (article, word) in enumerate(pairwise(low)):
        if article in ("a", "an") and word.isalpha():
            following = readings(low[i + 2]) if i + 2 < len(low) else frozenset()
            if word in lists.NEVER_A and following.isdisjoint(_NOUN):
                found = f"Write {quote(word, 24)} without {quote(article, 4)}."
                return [Problem("article", found)]
            vowel = word[0] in "aeiou" and (
                word.startswith(_NEGATED) or not word.startswith(_LIKE_CONSONANT)
            )
            asked = "an" if vowel or word.startswith(_SILENT_H) else "a"
            if article != asked and not word.startswith(_EITHER):
                found = f"Write {quote(f'{asked} {word}', 24)}, not {quote(article, 4)}."
                return [Problem("article", found)]
        if article in _ONE and _names_several(low[i + 1 :]):
            found = f"{quote(f'{words[i]} {words[i + 1]}', 24)} is not English."
            return [Problem("article", f"{found} Use it with one thing.")]
    return []


# Words that go with one thing.
_ONE = frozenset(("each", "every", "another", "much"))


def _names_several(low: list[str]) -> bool:
    """Whether adjectives and then a plural come first: "each (red) balls"."""
    for word in low:
        kinds = readings(word)
        if "ADJ" not in kinds or kinds & _VERB_FORMS:
            return kinds == {"Np"} and word not in lists.PLURAL_MODIFIERS
    return False


# Beginnings of words that start with another sound than their letter.
_LIKE_CONSONANT = (
    "uni", "unanim", "usa", "use", "usi", "usu", "uten", "util", "utop", "ukul", "ubiq", "eu",
    "ewe", "one", "once",
)  # fmt: skip
_NEGATED = ("unin", "unim", "unid")  # "an unimportant detail"
_SILENT_H = ("hour", "honest", "honor", "honour", "heir")
_EITHER = ("herb",)  # as British or as American English says it


_TOO_LONG = Problem("grammar", "Write one shorter sentence.")


def _grammar(text: str, apart: Collection[str], events: bool) -> tuple[float, list[Problem]]:
    """The share of the text that parses (1.0: each sentence does), and what went wrong."""
    pieces = [(m[1], "?" in m[2]) for m in _PIECE.finditer(text) if _TOKEN.search(m[1])]
    if sum(len(_TOKEN.findall(piece)) for piece, _ in pieces) > 2 * MAX_WORDS:
        return 0.0, [_TOO_LONG]
    for piece, asks in pieces[:_MAX_PARSED]:
        tokens, shown = tokenise(_SYMBOL.sub(" ", piece), apart)
        if len(tokens) > _MAX_TOKENS:
            return 0.5, [_TOO_LONG]
        at = clash([token.word for token in tokens], asks)
        if at is not None:
            pair = quote(" ".join(shown[at : at + 2]), 24)
            wrong = "cannot end a sentence" if at + 1 == len(tokens) else "is not English"
            return 0.99 * at / len(tokens), [Problem("grammar", f"{pair} {wrong}.")]
        grammar = Grammar(tokens, asks, events)
        if not grammar.accepts():
            if events and _says_what_is(tokens) and Grammar(tokens, asks).accepts():
                return 0.99, [Problem("event", _event(tokens))]
            return 0.99 * grammar.far / len(tokens), [_explain(tokens, shown, grammar.far)]
        message = nonsense(tokens, shown) if events else None
        if message:
            return 1.0, [Problem("sense", message)]
    return 1.0, []


def _says_what_is(tokens: list[Token]) -> bool:
    """Whether there is a verb for which it matters that a sentence must tell an event."""
    return any(t.word in _TO_BE or not t.verbs.isdisjoint(_NO_EVENT) for t in tokens)


_NO_EVENT = lists.EQUATING | lists.HAPPENING | {"take"}
_TO_BE = frozenset((*lists.BE, "be", "been"))


def _event(tokens: list[Token]) -> str:
    """What to tell a reply whose main clause names no event."""
    for i, token in enumerate(tokens):
        place = "take" in token.verbs and i + 1 < len(tokens) and tokens[i + 1].word == "place"
        if place or not token.verbs.isdisjoint(lists.HAPPENING):
            found = f"{token.word} place" if place else token.word
            return f"Tell who does what, without {quote(found, 24)}."
    return "Tell what happens, not what something is."


def _explain(tokens: list[Token], shown: list[str], far: int) -> Problem:
    """The most useful short sentence about why no analysis went beyond ``far``."""
    far = min(far, len(tokens) - 1)
    for i, (one, two) in enumerate(pairwise(tokens)):
        verb = one.readings & _FINITE and not (i and tokens[i - 1].word in _DETERMINERS)
        glued = one.apart and two.apart and one.readings & _NOUN and two.readings <= _NOUN
        if glued and not verb:  # "roasts marshmallow" lacks an article
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
        if token.readings == {"Ns"} and not _has_determiner(tokens, i):
            if i and not _needs_noun_phrase(tokens[i - 1]):
                continue
            return Problem("article", f'Write "a" or "the" before {quote(shown[i], 24)}.')
    return Problem("grammar", f"The sentence goes wrong at {quote(shown[far], 24)}.")


def _has_determiner(tokens: list[Token], i: int) -> bool:
    """Whether only adjectives, participles and nouns part word ``i`` from its determiner."""
    while (
        i and tokens[i - 1].readings & _BEFORE_NOUN and tokens[i - 1].readings.isdisjoint(_FINITE)
    ):
        i -= 1
    return bool(i) and tokens[i - 1].word in _DETERMINERS


def _needs_noun_phrase(token: Token) -> bool:
    """Whether a whole noun phrase should follow: after a preposition or a verb."""
    verb = not token.readings.isdisjoint(_VERB_FORMS)
    return token.word in _BEFORE_BARE or (verb and "ADJ" not in token.readings)


_DETERMINERS = lists.DET_ONE | lists.DET_MANY | lists.DET_ANY
_BEFORE_NOUN = frozenset(("ADJ", "VBG", "VBN", "Ns"))
_FINITE = frozenset(("VBD", "VBZ", "VBP"))
_VERB_FORMS = frozenset(("VB", "VBP", "VBZ", "VBD", "VBG"))
_BEFORE_BARE = lists.PREPOSITIONS | lists.CONJUNCTIONS | {","}


_FINITE_WORDS = frozenset((*lists.MODALS, *lists.BE, *lists.HAVE, *lists.DO, "'s"))


def _can_be_finite(token: Token) -> bool:
    return token.word in _FINITE_WORDS or not token.readings.isdisjoint(("VBD", "VBZ", "VBP"))


def tokenise(text: str, apart: Collection[str] = ()) -> tuple[list[Token], list[str]]:
    """The words and commas of one sentence with their readings, and how each is spelt.

    Example:
        >>> [token.word for token in tokenise("She doesn't like Emma's dog.")[0]]
        ['she', 'does', "n't", 'like', 'emma', 'dog']
    """
    spelt: list[str] = []
    for raw in _TOKEN.findall(text):
        word = raw.replace("\u2019", "'")
        parts = _CONTRACTION.match(word) if "'" in word else None
        if parts and (parts[2] != "'s" or parts[1].lower() in _SUBJECTS):
            spelt.extend((parts[1], parts[2]))
        else:
            spelt.append(word)
    given = [not lemmas(word).isdisjoint(apart) for word in spelt]
    tokens = list(map(_token, spelt, repeat(False), given))
    verbs = list(map(_token, spelt, repeat(True), given))
    ambiguous = [i for i, token in enumerate(tokens) if token != verbs[i]]
    if ambiguous:
        found = tags(spelt, ambiguous[-1] + 1)
        for i in ambiguous:
            if found[i].startswith("VERB"):
                tokens[i] = verbs[i]
    tokens = [
        _unless_modal(token, tokens[:i]) if spelt[i][0].islower() else token  # "in May"
        for i, token in enumerate(tokens)
    ]
    capital = {i for i, word in enumerate(spelt) if i and word[0].isupper()}
    for i, token in enumerate(tokens):  # "New York": a capital word beside a name belongs to it
        if "NAME" in token.readings:
            for beside in capital & {i - 1, i + 1}:
                owner = "NAMEPOSS" if "POSS" in tokens[beside].readings else "NAME"
                kinds = tokens[beside].readings | {owner}
                opens = openings(tokens[beside].word, kinds)
                tokens[beside] = replace(tokens[beside], readings=kinds, opens=opens)
    return tokens, spelt


# Names where they have a capital ("Mother called").
_KIN = frozenset(("mother", "father", "grandmother", "grandfather", "granny"))
# What comes in cans: in "the soup can" the last word is a noun.
_CANNED = frozenset(
    ["trash", "garbage", "soda", "beer", "soup", "paint", "tin", "water", "watering", "gas", "oil"]
)


def _unless_modal(token: Token, before: list[Token]) -> Token:
    """The token without the nouns "will", "must", "might" where a verb has to follow.

    They are nouns after a determiner, a possessive or an adjective ("his will", "a rusty can").
    """
    if token.word not in lists.MODALS or not token.readings:
        return token
    last = before[-1] if before else None
    if last and (
        last.word in _DETERMINERS or last.readings & {"POSS", "NAMEPOSS"}
        or last.readings == {"ADJ"} or (token.word == "can" and last.word in _CANNED)
    ):  # fmt: skip
        return token
    left = token.readings & {"NAME", "NAMEPOSS"}
    return replace(token, readings=left, opens=openings(token.word, left))


@lru_cache(maxsize=1 << 16)
def _token(word: str, tagged_verb: bool, given: bool) -> Token:
    """One token with its readings; a ``given`` word is read strictly."""
    token = _plain_token(word, tagged_verb, given)
    return replace(token, opens=openings(token.word, token.readings))


def _plain_token(word: str, tagged_verb: bool, given: bool) -> Token:
    base = stem(word)
    name = _is_name(word)
    if word.endswith("'") or (word.lower().endswith("'s") and len(word) > 2):
        if name:
            return Token(base, frozenset({"NAMEPOSS"}))
        kinds = readings(base)
        found = {"POSS"} if kinds & _NOUN else set()
        return Token(base, frozenset(found | ({"POSSp"} if kinds & {"Np", "Nm"} else set())))
    if word.isdigit():
        return Token("two", frozenset({"NAME"}))
    if word.lower() in ("'s", "'m", "'re", "'ve", "'ll", "'d", "n't"):
        return Token(word.lower(), frozenset())
    possible = readings(base, tagged_verb, given)
    if name or (word[0].isupper() and base in _KIN):
        possible |= {"NAME"}
    return Token(base, possible, verb_lemmas(base), given)

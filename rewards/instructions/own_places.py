"""Kinds of our own: positions of words, shapes of sentences, copying (strict mode only)."""

from __future__ import annotations

from itertools import pairwise

from corgi_gym.rewards.constraints.segments import fold
from corgi_gym.rewards.instructions.keywords import whole_word
from corgi_gym.rewards.instructions.kind import Kind, bare_word, one_word, spelled, text, whole
from corgi_gym.rewards.instructions.reply import Reply
from corgi_gym.rewards.text import plural, quote, words


def nth_word(reply: Reply, n: int, word: str) -> str | None:
    """The n-th word of the reply."""
    found = reply.lower_words[n - 1] if len(reply.words) >= n else ""
    if fold(found) == fold(word):
        return None
    shown = f"Word {n} of the reply is {quote(found)}" if found else f"There is no word {n}"
    return f"{shown}. It must be {quote(word)}."


def last_word(reply: Reply, word: str) -> str | None:
    """The last word of the reply."""
    found = reply.lower_words[-1] if reply.words else ""
    if fold(found) == fold(word):
        return None
    return f"The last word is {quote(found)}. It must be {quote(word)}."


def keyword_in_sentence(reply: Reply, n: int, word: str) -> str | None:
    """The n-th sentence has the word."""
    if len(reply.sentences) < n:
        return (
            f"You wrote {plural(len(reply.sentences), 'sentence')}. "
            f"Sentence {n} must hold {quote(word)}."
        )
    if whole_word(word).search(reply.sentences[n - 1]):
        return None
    return f"Sentence {n} lacks {quote(word)}. Use the word there."


def acrostic(reply: Reply, letters: str) -> str | None:
    """The first letters of the sentences spell a word."""
    found = "".join(words(s)[0][0] for s in reply.sentences).lower()
    if found == letters.lower():
        return None
    return (
        f"The first letters of your sentences are {quote(', '.join(found))}. "
        f"They must spell {quote(letters)}, one sentence for each letter."
    )


def paragraph_ring(reply: Reply, number: int) -> str | None:
    """So many paragraphs, each ending with the word it starts with."""
    if len(reply.paragraphs) != number:
        return (
            f"You wrote {plural(len(reply.paragraphs), 'paragraph')}. "
            f"Write {number}, with a blank line between two."
        )
    for i, paragraph in enumerate(reply.paragraphs, start=1):
        held = words(fold(paragraph))
        if len(held) < 3:
            return f"Paragraph {i} has {plural(len(held), 'word')}. Write at least 3."
        if held[0] != held[-1]:
            return (
                f"Paragraph {i} starts with {quote(held[0])} and ends with {quote(held[-1])}. "
                "It must end with the word that it starts with."
            )
    return None


def max_letters(reply: Reply, letters: int) -> str | None:
    """No word is longer."""
    found = next((w for w in reply.words if sum(map(str.isalnum, w)) > letters), None)
    if found is None:
        return None
    return f"{quote(found)} has more than {letters} letters. Use only shorter words."


def chain(reply: Reply, sentences: int) -> str | None:
    """At least so many sentences, each starting with the last word of the one before."""
    if len(reply.sentences) < sentences:
        return (
            f"You wrote {plural(len(reply.sentences), 'sentence')}. "
            f"Write at least {sentences}, each starting with the last word of the one before."
        )
    held = [words(fold(s)) for s in reply.sentences]
    for i, (one, two) in enumerate(pairwise(held), start=1):
        if one[-1] != two[0]:
            return (
                f"Sentence {i} ends with {quote(one[-1])}, and sentence {i + 1} starts with "
                f"{quote(two[0])}. They must be the same word."
            )
    return None


def increment(reply: Reply, sentences: int, step: int) -> str | None:
    """At least so many sentences, each with exactly ``step`` words more than the one before."""
    lengths = [len(words(s)) for s in reply.sentences]
    if len(lengths) < sentences:
        return f"You wrote {plural(len(lengths), 'sentence')}. Write at least {sentences}."
    for i, (one, two) in enumerate(pairwise(lengths), start=1):
        if two != one + step:
            return (
                f"Sentence {i} has {plural(one, 'word')} and sentence {i + 1} has {two}. "
                f"Each sentence must have exactly {step} more than the one before."
            )
    return None


def span(reply: Reply, source: str, start: int, end: int) -> str | None:
    """The first line is words ``start`` to ``end`` of ``source`` (split at white space)."""
    asked = " ".join(source.split()[start - 1 : end])
    found = reply.lines[0] if reply.lines else ""
    if " ".join(found.split()) == asked:
        return None
    return (
        f"The first line is {quote(found)}. It must be words {start} to {end} of the given text, "
        "unchanged."
    )


def sentence_times(reply: Reply, sentence: str, times: int) -> str | None:
    """A sentence, word for word, exactly so many times."""
    asked = words(fold(sentence))
    found = sum(words(fold(s)) == asked for s in reply.sentences)
    if found == times:
        return None
    return (
        f"The sentence {quote(sentence, 60)} stands there {plural(found, 'time')}. "
        f"Write it exactly {plural(times, 'time')}."
    )


KINDS = (
    Kind(
        "position:nth_word",
        nth_word,
        fields={"n": whole(1), "word": bare_word},
        asks="the n-th word is a given one",
    ),
    Kind(
        "position:last_word",
        last_word,
        fields={"word": bare_word},
        asks="the last word is a given one",
    ),
    Kind(
        "position:keyword_in_sentence",
        keyword_in_sentence,
        fields={"n": whole(1), "word": one_word},
        asks="the n-th sentence holds a word",
    ),
    Kind(
        "position:acrostic",
        acrostic,
        fields={"letters": spelled},
        asks="the first letters of the sentences spell a word",
    ),
    Kind(
        "position:paragraph_ring",
        paragraph_ring,
        fields={"number": whole(1)},
        asks="each paragraph ends with the word it starts with",
    ),
    Kind(
        "words:max_letters",
        max_letters,
        fields={"letters": whole(2, 40)},
        asks="no word has more letters",
    ),
    Kind(
        "words:chain",
        chain,
        fields={"sentences": whole(2)},
        asks="each sentence starts with the last word of the one before",
    ),
    Kind(
        "sentence:increment",
        increment,
        fields={"sentences": whole(2), "step": whole(1)},
        asks="each sentence has so many words more than the one before",
    ),
    Kind(
        "copy:span",
        span,
        fields={"source": text, "start": whole(1), "end": whole(1)},
        asks="the first line copies a span of words of a given text",
    ),
    Kind(
        "copy:sentence_times",
        sentence_times,
        fields={"sentence": text, "times": whole(1)},
        asks="a sentence stands there exactly so many times",
    ),
)

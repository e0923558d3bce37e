"""The subject words of a request, for `corgi_gym.rewards.instructions.floor`.

A word of the request belongs to its subject unless it is a function word, names the form that is
asked for ("poem", "email", "sentence"), belongs to the language of instructions ("write",
"include", "exactly"), or stands inside an example of a format (``[address]``, ``<<title>>``,
``*like this*``).
"""

from __future__ import annotations

import re

from corgi_gym.rewards.dictionary import FUNCTION_WORDS
from corgi_gym.rewards.instructions._languages import identify, small_words
from corgi_gym.rewards.instructions.vocabulary import INSTRUCTION_WORDS, stem
from corgi_gym.rewards.text import words

# Enough to find a reply's subject among; prompts that quote a page have hundreds.
MAX_WORDS = 40
_MIN_CHARS = 3
# With this many subject words or more, a reply must use two.
_MANY = 5

_STOP = INSTRUCTION_WORDS | FUNCTION_WORDS
# forms of the words of instructions; not of function words, or "quite" would hide "quitting"
_STOP_STEMS = frozenset(map(stem, INSTRUCTION_WORDS))
_EXAMPLES = re.compile(
    r"\[[^\[\]\n]{1,60}\]|<<[^<>\n]{1,80}>>|\*[^*\n]{1,80}\*|\([^()\n]{0,40}e\.g[^()\n]{0,80}\)"
)


def subject_words(prompt: str) -> list[str]:
    """The subject words of ``prompt``, each stem once, in their order.

    Example:
        >>> subject_words("Write a poem about two curious cats in Paris. Use no commas.")
        ['curious', 'cats', 'paris']
    """
    language = identify(prompt)
    small = small_words().get(language, frozenset()) if language else frozenset()
    found: dict[str, str] = {}
    for word in words(_EXAMPLES.sub(" ", prompt).lower()):
        short = stem(word)
        if word in _STOP or short in _STOP_STEMS or len(word) < _MIN_CHARS or word in small:
            continue
        if any(map(str.isdigit, word)):
            continue
        found.setdefault(short, word)
    return list(found.values())[:MAX_WORDS]


def needed(topic: list[str]) -> int:
    """How many subject words a reply must use: one, or two where there are many."""
    return 2 if len(topic) >= _MANY else min(1, len(topic))

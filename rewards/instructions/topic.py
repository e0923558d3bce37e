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
from corgi_gym.rewards.instructions.floor import stem
from corgi_gym.rewards.text import words

# Enough to find a reply's subject among; prompts that quote a page have hundreds.
MAX_WORDS = 40
_MIN_CHARS = 3
# With this many subject words or more, a reply must use two.
_MANY = 5

_INSTRUCTION = """
    write writes writing written wrote rewrite give gives given provide create creates compose make
    makes making generate come tell explain describe discuss list name include includes including
    contain contains containing use uses using used put add avoid ensure sure please want wants like
    need needs needed help think say says start starts starting begin begins end ends ending finish
    follow following follows repeat request requests change changes respond response responses reply
    answer answers entire whole total complete exactly least less more than most fewer times time
    once twice word words sentence sentences paragraph paragraphs letter letters lowercase uppercase
    capital capitals capitalized case comma commas punctuation bullet bullets point points list
    lists format formats formatted markdown json section sections highlight highlighted highlights
    title titles wrap wrapped wrapping double single quotation quotations quote quotes mark marks
    angular bracket brackets square placeholder placeholders represented asterisk asterisks symbol
    symbols separate separated separator divider divided style tone language english french german
    spanish italian hindi korean russian arabic persian tamil telugu kannada marathi gujarati
    punjabi urdu thai vietnamese swahili finnish bulgarian portuguese nepali bengali japanese
    keyword keywords appear appears mention mentioned allowed forbidden refrain limit maximum
    minimum number numbers line lines phrase phrases text output input prompt question questions
    option options choose choosing example examples way ways kind type different two three four five
    six seven eight nine ten hundred first second third last next new good great best better bad
    long short brief interesting funny unusual weird simple easy clear possible any other another
    each every own able can could would should will may might must also just only very really about
    poem poems story stories essay essays letter email emails blog post posts tweet song songs rap
    limerick haiku riddle riddles joke jokes resume resumes itinerary summary summaries article
    articles review reviews advertisement ad ads pitch proposal speech script dialogue conversation
    plot novel fiction rubric outline template report cover speech lyrics verse verses stanza
    postscript p.s ps p.p.s pps beginning consider considered write-up content critique
    don't do not make sure should's it's i'm you're that's let's i'd i'll isn't
    characters character perspective italicize italic right correct correctly proper properly
    called call calls stated state form forms else notation explicit explicitly indicate indicated
    indicates ask asks asked asking description descriptions expand whatsoever throughout rather
    instead besides otherwise version versions thing things something anything everything people
    person someone man woman day year years know get got take go going see look find work works
    working world life part parts
    """
_STOP = frozenset(_INSTRUCTION.split()) | FUNCTION_WORDS
# forms of the words of instructions; not of function words, or "quite" would hide "quitting"
_STOP_STEMS = frozenset(map(stem, _INSTRUCTION.split()))
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

"""Words without their endings, and the words in which instructions are given."""

from __future__ import annotations

from functools import lru_cache

from corgi_gym.rewards.lexicon import lemmas

_SUFFIXES = ("ingly", "edly", "ings", "ing", "ies", "ied", "ers", "er", "ed", "es", "ly", "s", "e")
# What prompts and feedback say about any reply, whatever its subject.
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
    working world life part parts sound sounds
    """
INSTRUCTION_WORDS = frozenset(_INSTRUCTION.split())
# The words that our own messages add to those of the request.
_FEEDBACK = """
    a about after all an and another answer answers are at be below between blank by capital comma
    commas copy different does each end ends english exactly first following follow from give goes
    hardly has have hold holds in it json lacks last least less letter letters line lines lower mark
    marks mention mentions more most must my no not number of on one only or over own paragraph
    paragraphs part parts postscript question questions quotation real repeat repeats reply request
    response responses same section sections sentence sentences separate something stands start
    starts such table text than that the them there they this time times title to two under upper
    use used valid what which with word words write wrote yes you your
    """
FEEDBACK_WORDS = frozenset(_FEEDBACK.split())


@lru_cache(maxsize=4_096)
def forms(word: str) -> frozenset[str]:
    """All forms of a word in lower case, irregular ones too, which a stem does not join.

    Example:
        >>> sorted(forms("octopus")), "knife" in forms("knives")
        (['octopi', 'octopus', 'octopuses'], True)
    """
    from lemminflect import getAllInflections

    found = set(lemmas(word))
    for lemma in sorted(found):
        found.update(*getAllInflections(lemma).values())
    return frozenset(map(str.lower, found))


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A word without its ending, so that "cats", "cat's" and "cat" are one subject.

    Example:
        >>> [stem(w) for w in ("Cities", "city", "quitting", "quit", "cats", "bus")]
        ['cit', 'cit', 'quit', 'quit', 'cat', 'bus']
    """
    word = word.lower().replace("\u2019", "'").removesuffix("'s").removesuffix("'")
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)]
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiou":
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word[-1] in "yi" else word

"""Does a sequence of words parse as an English sentence? A small grammar, recognised in one pass.

The grammar covers the declarative sentences (and simple questions) that people write about everyday
scenes: noun phrases with agreement and articles, verb groups, complements, prepositional,
participial, relative and subordinate clauses. It is a recogniser: it answers yes or no, and how far
it came. Every nonterminal is a method from a start position to the *set of ends*, kept as the bits
of one integer and memoised, so the cost is polynomial and no input can make it explode.

It is deliberately narrow where degenerate text lives: a singular countable noun needs an article,
at most two nouns stand in a row, one possessive per noun phrase, verbs agree with their subject,
verbs that need an object get one. It is wide in the order of adverbials. It knows nothing of
meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any

from corgi_gym.rewards import _wordlists as lists


@dataclass(frozen=True, slots=True)
class Token:
    """A word or comma.

    Attributes:
        word: Lower case.
        readings: See `corgi_gym.rewards.lexicon.readings`; also ``NAME``, ``POSS`` and the like.
        verbs: The verbs it can be a form of.
        apart: Two such nouns never stand side by side.
    """

    word: str
    readings: frozenset[str]
    verbs: frozenset[str] = frozenset()
    apart: bool = False


def _bits(ends: int) -> Iterator[int]:
    while ends:
        low = ends & -ends
        yield low.bit_length() - 1
        ends ^= low


def _memo(method: Callable[..., Any]) -> Callable[..., Any]:
    name = method.__name__
    nothing = (0, 0) if str(method.__annotations__["return"]).startswith("tuple") else 0

    @wraps(method)
    def remembered(self: Grammar, *args: Any) -> Any:
        key = (name, *args)
        if key not in self.memo:
            self.memo[key] = nothing  # left recursion finds nothing
            self.memo[key] = method(self, *args)
        return self.memo[key]

    return remembered


class Grammar:
    """The recogniser of one sentence.

    Example:
        >>> def token(word, *readings, verbs=()):
        ...     return Token(word, frozenset(readings), frozenset(verbs))
        >>> words = [token("the"), token("dog", "Ns"), token("barks", "VBZ", verbs=["bark"])]
        >>> Grammar(words).accepts()
        True
    """

    def __init__(self, tokens: list[Token], asks: bool = False) -> None:
        self.tokens = tokens
        self.asks = asks  # a question mark allows the word order of questions
        self.size = len(tokens)
        self.memo: dict[tuple[Any, ...], Any] = {}
        self.far = 0  # words that some analysis understood

    def accepts(self) -> bool:
        """Whether the whole sequence is a sentence."""
        return bool(self.sentence(0) >> self.size & 1)

    # ---------------------------------------------------------------- words

    def is_word(self, i: int, words: Any) -> int:
        """The end after token ``i`` if it is one of ``words``."""
        if i < self.size and self.tokens[i].word in words:
            self.far = max(self.far, i + 1)
            return 1 << (i + 1)
        return 0

    def is_a(self, i: int, *readings: str) -> int:
        """The end after token ``i`` if it has one of ``readings``."""
        if i < self.size and not self.tokens[i].readings.isdisjoint(readings):
            self.far = max(self.far, i + 1)
            return 1 << (i + 1)
        return 0

    def then(self, ends: int, rule: Callable[..., int], *args: Any) -> int:
        """Apply ``rule`` after each of ``ends``."""
        result = 0
        for end in _bits(ends):
            result |= rule(end, *args)
        return result

    def maybe(self, ends: int, rule: Callable[..., int], *args: Any) -> int:
        """Like `then`, but the rule may be left out."""
        return ends | self.then(ends, rule, *args)

    def comma(self, i: int) -> int:
        """A comma."""
        return self.is_word(i, (",",))

    # ---------------------------------------------------------------- adverbs and adjectives

    @_memo
    def adverbs(self, i: int) -> int:
        """Up to three adverbs, possibly none."""
        ends = step = 1 << i
        for number in range(3):
            if number:
                step = self.maybe(step, self.is_word, ("and",))
            step = self.then(step, self.is_a, "ADV")
            ends |= step
        return ends

    @_memo
    def adjective(self, i: int) -> int:
        """An adjective or participle, possibly with an intensifier."""
        start = self.maybe(1 << i, self.is_word, lists.INTENSIFIERS)
        start |= self.is_a(i, "ADV")
        return self.then(start, self.is_a, "ADJ", "VBG", "VBN") | self.then(
            start, self.is_word, lists.NUMBERS
        )

    @_memo
    def modifiers(self, i: int) -> int:
        """Up to four adjectives before a noun; commas and "and" may stand between them."""
        ends = step = 1 << i
        for number in range(4):
            if number:
                step = self.maybe(step, self.comma) | self.then(step, self.is_word, ("and", "or"))
            step = self.then(step, self.adjective)
            ends |= step
        return ends

    @_memo
    def adjective_phrase(self, i: int) -> int:
        """A predicate adjective: "happy and proud", "as tall as the tree", "ready to go"."""
        start = self.maybe(1 << i, self.is_word, lists.INTENSIFIERS | {"as", "more", "so", "too"})
        start = self.maybe(start, self.is_a, "ADV")
        one = self.then(start, self.is_a, "ADJ", "VBN")
        enough = self.maybe(one, self.is_word, ("enough",))
        more = self.then(self.maybe(enough, self.comma), self.is_word, ("and", "but", "yet"))
        return enough | self.then(self.then(more, self.adverbs), self.is_a, "ADJ", "VBN")

    # ---------------------------------------------------------------- noun phrases

    @_memo
    def noun(self, i: int, kind: str) -> int:
        """A noun of a kind, possibly after one other noun ("soccer ball")."""
        start = 1 << i
        if not (i + 1 < self.size and self.tokens[i].apart and self.tokens[i + 1].apart):
            start |= self.is_a(i, "Ns", "Nm", "Np")
        return self.then(start, self.is_a, kind)

    @_memo
    def possessor(self, i: int) -> int:
        """Something like "my friend's" or "Emma's" in front of a noun."""
        start = self.is_word(i, lists.DET_ANY | lists.DET_ONE | lists.DET_MANY)
        ends = self.then(self.then(start, self.modifiers), self.is_a, "POSS")
        return ends | self.is_a(i, "NAMEPOSS") | self.is_a(i, "POSSp")

    @_memo
    def simple(self, i: int) -> tuple[int, int]:
        """A noun phrase without complements: (ends if singular, ends if plural)."""
        one = self.is_word(i, lists.SUBJECT_ONE | lists.OBJECT)
        many = self.is_word(i, lists.SUBJECT_MANY)
        name = self.is_a(i, "NAME")
        one |= name | self.then(name, self.is_a, "NAME")
        # all of / half the / the two ...
        wide = self.maybe(1 << i, self.is_word, ("all", "both", "half", "just", "only", "almost"))
        loose = self.then(wide, self.is_word, lists.DET_ANY) | self.then(wide, self.possessor)
        counted = self.maybe(loose, self.is_word, lists.DET_MANY | {"other", "next", "last"})
        single = self.is_word(i, lists.DET_ONE) | self.then(loose, self.is_word, ("one", "other"))
        single |= self.then(self.is_word(i, _BEFORE_A), self.is_word, ("a", "an"))
        several = self.then(wide, self.is_word, lists.DET_MANY)
        several |= self.then(self.is_word(i, ("a",)), self.is_word,
                             ("few", "couple", "dozen", "hundred", "thousand", "million"))  # fmt: skip
        several |= self.then(several, self.is_word, ("more", "other", "hundred", "thousand"))
        bare = self.then(1 << i, self.modifiers)
        for starts, kinds in (
            (single, ("Ns", "Nm")),
            (loose, ("Ns", "Nm")),
            (bare, ("Nm",)),
        ):
            after = self.then(starts, self.modifiers)
            for kind in kinds:
                one |= self.then(after, self.noun, kind)
        for starts in (loose, counted, several, bare):
            many |= self.then(self.then(starts, self.modifiers), self.noun, "Np")
        # "a hat and coat": a second noun under the same article
        shared = self.then((single | loose), self.modifiers)
        shared = self.then(shared, self.noun, "Ns") | self.then(shared, self.noun, "Nm")
        joined = self.then(self.then(shared, self.is_word, ("and", "or")), self.modifiers)
        many |= self.then(joined, self.noun, "Ns")
        return one, many

    @_memo
    def noun_phrase(self, i: int) -> tuple[int, int]:
        """A noun phrase with what follows it, and lists of them."""
        one, many = self.one_phrase(i)
        both = one | many
        tail = self.then(both, self.is_word, ("and", "or", "nor"))
        tail |= self.then(self.then(both, self.comma), self.is_word, ("and", "or", "then"))
        second = self.then(both, self.comma)  # a, b and c: at most two commas
        for _ in range(2):
            middle = self.then(second, self.any_phrase)
            middle = self.maybe(middle, self.comma)
            tail |= self.then(middle, self.is_word, ("and", "or"))
            second = self.then(middle, self.comma)
        tail = self.maybe(tail, self.adverbs)
        many |= self.then(tail, self.any_phrase) | self.then(tail, self.is_word, ("i",))
        return one, many

    def any_phrase(self, i: int) -> int:
        """`one_phrase` of either number."""
        one, many = self.one_phrase(i)
        return one | many

    def object(self, i: int) -> int:
        """`noun_phrase` of either number."""
        one, many = self.noun_phrase(i)
        return one | many

    @_memo
    def one_phrase(self, i: int) -> tuple[int, int]:
        """A simple noun phrase with prepositional phrases, a relative or participial clause."""
        one, many = self.simple(i)
        # "a lot of people are", "a group of children is": either number
        quantity = self.then(self.then(one | many, self.is_word, ("of",)), self.any_phrase)
        gerund = self.gerund(i)
        return self.attach(one | quantity) | gerund, self.attach(many | quantity)

    def attach(self, ends: int) -> int:
        """What can follow a noun."""
        step = ends
        for _ in range(3):
            step = self.then(step, self.prepositional)
            ends |= step
        ends = self.maybe(ends, self.is_word, ("outside", "inside", "nearby", "upstairs", "there",
                                               "here", "alone", "together", "himself", "else",
                                               "herself", "themselves", "both", "all"))  # fmt: skip
        extra = self.then(ends, self.relative) | self.then(ends, self.participial)
        extra |= self.then(ends, self.infinitive)
        described = self.then(ends, self.is_a, "ADJ")
        extra |= self.then(described, self.prepositional)
        inserted = self.then(self.then(ends, self.comma), self.relative)
        inserted |= self.then(self.then(ends, self.comma), self.participial)
        inserted |= self.then(self.then(ends, self.comma), self.simple_any)
        return ends | extra | self.then(inserted, self.comma)

    def simple_any(self, i: int) -> int:
        """`simple` of either number."""
        one, many = self.simple(i)
        return one | many

    @_memo
    def time_phrase(self, i: int) -> int:
        """An adverbial noun phrase: "every morning", "last week", "all day", "two hours ago"."""
        start = self.is_word(i, lists.DET_ONE | lists.DET_MANY | {
            "the", "next", "last", "all", "some", "most", "each"})  # fmt: skip
        start = self.maybe(start, self.is_word, ("the", "few", "next", "other", "whole", "past"))
        start = self.maybe(start, self.is_a, "ADJ")
        times = {t for t in lists.TIME_NOUNS} | {t + "s" for t in lists.TIME_NOUNS}
        ends = self.then(start, self.is_word, times)
        ends = self.maybe(ends, self.is_word, times)
        return self.maybe(ends, self.is_word, ("ago", "long", "later", "before"))

    @_memo
    def prepositional(self, i: int) -> int:
        """A preposition and its noun phrase, gerund or place adverb."""
        ends = 0
        starts = self.maybe(1 << i, self.is_word, lists.INTENSIFIERS) | self.is_a(i, "ADV")
        for start in _bits(starts):
            if start >= self.size:
                continue
            head = self.is_word(start, lists.PREPOSITIONS)
            needs = lists.COMPOUND_PREPOSITIONS.get(self.tokens[start].word)
            if needs:
                pair = self.then(1 << (start + 1), self.is_word, needs)
                simple = self.tokens[start].word in _SIMPLE_TOO
                head = pair | (head if simple else 0)
            ends |= self.then(head, self.preposed)
        return ends

    @_memo
    def preposed(self, i: int) -> int:
        """What follows a preposition."""
        ends = self.object(i) | self.time_phrase(i) | self.is_word(i, _PLACE_ADVERBS)
        ends |= self.then(self.is_word(i, lists.NUMBERS), self.is_word, ("o'clock",))
        ends |= self.gerund(i) | self.question_clause(i)
        bare = self.maybe(1 << i, self.is_a, "ADJ", "VBG")
        ends |= self.then(bare, self.is_word, lists.BARE_AFTER_PREPOSITION)
        return ends | self.idiom(i)

    # ---------------------------------------------------------------- clauses inside others

    @_memo
    def relative(self, i: int) -> int:
        """ "who lives here", "that she baked", "where they sleep", "in which it lay"."""
        pronoun = self.is_word(i, lists.RELATIVES)
        pronoun |= self.then(self.is_word(i, lists.PREPOSITIONS), self.is_word, ("which", "whom"))
        after = self.then(pronoun, self.adverbs)
        ends = 0
        for agreement in "sp":
            ends |= self.then(after, self.verb_phrase, agreement, True)
        ends |= self.then(pronoun, self.clauses, True)
        # "the cake she baked"
        if i < self.size and self.tokens[i].word in lists.SUBJECT_ONE | lists.SUBJECT_MANY | {"i"}:
            ends |= self.clause(i, True)
        return ends

    @_memo
    def participial(self, i: int) -> int:
        """ "holding a hat", "covered in snow" (with an adverb before it)."""
        start = self.adverbs(i)
        return self.then(start, self.gerund) | self.then(start, self.passive)

    @_memo
    def gerund(self, i: int) -> int:
        """An -ing phrase, or two joined by "and"."""
        one = self.verb_and_rest(i, "VBG", False)
        joint = self.then(self.maybe(one, self.comma), self.is_word, ("and", "or", "then"))
        joint = self.then(joint, self.adverbs)
        ends = one | self.then(joint, self.verb_and_rest, "VBG", False)
        being = self.is_word(i, ("being", "having"))
        return ends | self.then(being, self.passive) | self.then(being, self.be_rest)

    @_memo
    def passive(self, i: int) -> int:
        """A past participle phrase, or two joined by "and"."""
        one = self.verb_and_rest(i, "VBN", True)
        joint = self.then(self.maybe(one, self.comma), self.is_word, ("and", "or", "then"))
        return one | self.then(self.then(joint, self.adverbs), self.verb_and_rest, "VBN", True)

    @_memo
    def base(self, i: int) -> int:
        """A verb group in base form, or two or three joined."""
        start = self.adverbs(i)
        one = self.then(start, self.verb_and_rest, "VB", True)
        be = self.then(start, self.is_word, ("be",))
        one |= self.then(be, self.be_rest)
        have = self.then(self.then(start, self.is_word, ("have",)), self.adverbs)
        one |= self.then(have, self.perfect)
        ends = one
        for _ in range(2):
            joint = self.then(self.maybe(one, self.comma), self.is_word, ("and", "or", "but"))
            listed = self.then(one, self.comma)
            one = self.then(self.then(joint | listed, self.adverbs), self.verb_and_rest, "VB", True)
            ends |= one
        return ends

    @_memo
    def infinitive(self, i: int) -> int:
        """ "to" and a base verb group, with "so as" or "in order" before it."""
        start = self.maybe(1 << i, self.is_word, ("not", "how", "where", "what", "when", "which"))
        start |= self.then(self.is_word(i, ("in",)), self.is_word, ("order",))
        start |= self.then(self.is_word(i, ("so",)), self.is_word, ("as",))
        return self.then(self.then(start, self.is_word, ("to",)), self.base)

    @_memo
    def question_clause(self, i: int) -> int:
        """ "what she wants", "how the clock works", "whether it rains", "who won"."""
        start = self.is_word(i, lists.QUESTION_WORDS)
        start = self.maybe(start, self.is_a, "ADJ", "ADV", "Np")
        ends = self.then(start, self.clause, True)
        for agreement in "sp":
            ends |= self.then(start, self.verb_phrase, agreement, True)
        return ends

    @_memo
    def subordinate(self, i: int) -> int:
        """ "while the dog sleeps", "after eating lunch", "when finished", "so that it shines"."""
        early = self.maybe(1 << i, self.is_word, ("just", "even", "right", "only", "soon", "ever"))
        head = self.then(early, self.is_word, lists.SUBORDINATORS)
        head |= self.then(head, self.is_word, ("that", "if", "though", "soon"))
        head |= self.then(self.is_word(i, ("so", "as", "now")), self.is_word,
                          ("that", "if", "soon", "long", "well", "far"))  # fmt: skip
        head |= self.then(head, self.is_word, ("as",))
        ends = self.then(head, self.clauses, False) | self.then(head, self.participial)
        with_noun = self.then(self.is_word(i, ("with",)), self.object)
        return ends | self.then(with_noun, self.be_rest)

    @_memo
    def clauses(self, i: int, gap: bool) -> int:
        """A clause, or two joined by "and" or "but"."""
        ends = self.clause(i, gap)
        joint = self.then(self.maybe(ends, self.comma), self.is_word, ("and", "but"))
        return ends | self.then(joint, self.clause, gap)

    @_memo
    def absolute(self, i: int) -> int:
        """ "his eyes fixed on the road", "her hair blowing in the wind"."""
        if not self.is_word(i, lists.POSSESSIVE):
            return 0
        one, many = self.simple(i)
        return self.then(one | many, self.participial)

    # ---------------------------------------------------------------- verb phrases

    @_memo
    def verb_and_rest(self, i: int, form: str, gap: bool) -> int:
        """A verb in ``form`` and its complements; ``gap``: its object may be elsewhere."""
        ends = 0
        if self.is_a(i, form):
            for lemma in sorted(self.tokens[i].verbs):
                ends |= self.rest(i + 1, lemma, gap)
            # "picked and ate the apples": joined verbs share their object
            joint = self.then(1 << (i + 1), self.is_word, ("and", "or"))
            ends |= self.then(joint, self.verb_and_rest, form, gap)
        return ends

    @_memo
    def rest(self, i: int, verb: str, gap: bool) -> int:
        """The complements and adverbials of ``verb``.

        Objects come first, after particles at most ("put on the hat"): a noun phrase further
        right is what word salad has.
        """
        without = self.adverbs(i)
        filled = 0
        if verb not in lists.INTRANSITIVE:
            filled = self.then(without, self.object)
        if verb in lists.DITRANSITIVE:
            filled |= self.then(filled, self.object)
        if verb in lists.PERCEPTION:
            filled |= self.then(filled, self.base)
        wants_object = verb in lists.TRANSITIVE and verb not in lists.TRANSITIVE_NOT_STRICT
        result = 0
        for has_object in (False, True):
            ends = fresh = filled if has_object else without
            while fresh:
                found = self.then(fresh, self.adverbial, verb, has_object)
                fresh = found & ~ends
                ends |= found
            if has_object or gap or not wants_object:
                result |= ends
            if not has_object:
                filled |= self.then(ends, self.clause_object, verb)
        return result

    @_memo
    def clause_object(self, i: int, verb: str) -> int:
        """A clause in the place of an object: "says it is hot", "knows what to do", "likes to sing"."""
        ends = self.clause(i, False) if verb in lists.CLAUSE_VERBS else 0
        ends |= self.infinitive(i) | self.gerund(i)
        return ends | (self.question_clause(i) if verb not in lists.INTRANSITIVE else 0)

    @_memo
    def adverbial(self, i: int, verb: str, has_object: bool) -> int:
        """One more phrase after a verb and its objects."""
        if i >= self.size:
            return 0
        ends = self.adverbs(i) & ~(1 << i)
        ends |= self.prepositional(i) | self.time_phrase(i) | self.infinitive(i)
        ends |= self.subordinate(i) | self.gerund(i) | self.idiom(i)
        if verb in lists.COPULAR:
            ends |= self.adjective_phrase(i)
        if has_object:
            ends |= self.passive(i) | self.clause_object(i, verb)
        comma = self.comma(i)
        for rule in (self.subordinate, self.participial, self.prepositional, self.relative,
                     self.infinitive, self.absolute):  # fmt: skip
            ends |= self.then(comma, rule)
        return ends | self.then(comma, self.adverbs) & ~comma

    def idiom(self, i: int) -> int:
        """ "hand in hand", "side by side", "next door"."""
        ends = self.then(self.is_word(i, ("next",)), self.is_word, ("door",))
        if i + 2 < self.size and self.tokens[i + 2].word == self.tokens[i].word:
            joint = self.then(self.is_a(i, "Ns"), self.is_word, ("by", "in", "to", "after"))
            ends |= self.then(joint, self.is_a, "Ns")
        return ends

    @_memo
    def be_rest(self, i: int) -> int:
        """What follows a form of "be"."""
        start = self.adverbs(i)
        ends = self.then(start, self.gerund) | self.then(start, self.passive)
        described = self.then(start, self.adjective_phrase) | self.then(start, self.object)
        described |= self.then(start, self.prepositional) | self.then(start, self.infinitive)
        described |= self.then(start, self.question_clause) | (start & ~(1 << i))
        being = self.then(start, self.is_word, ("being",))
        ends |= self.then(being, self.passive)
        return ends | self.then(described, self.rest, _BE_THERE, True)

    @_memo
    def perfect(self, i: int) -> int:
        """What follows the auxiliary "have"."""
        start = self.adverbs(i)
        been = self.then(start, self.is_word, ("been",))
        return self.then(start, self.verb_and_rest, "VBN", False) | self.then(been, self.be_rest)

    @_memo
    def verb_group(self, i: int, agreement: str, gap: bool) -> int:
        """One finite verb with its complements; ``agreement``: s (he), p (they), i (I)."""
        ends = 0
        for start in _bits(self.adverbs(i)):
            if start >= self.size:
                continue
            word = self.tokens[start].word
            after = 1 << (start + 1)
            negated = self.maybe(after, self.is_word, lists.NEGATION)
            if word in lists.MODALS:
                self.far = max(self.far, start + 1)
                ends |= self.then(negated, self.base)
            if agreement in lists.BE.get(word, "") or word == "'s" and agreement == "s":
                ends |= self.then(negated, self.be_rest)
            if agreement in lists.HAVE.get(word, "") or word == "'s" and agreement == "s":
                ends |= self.then(negated, self.perfect)
                ends |= self.then(negated, self.infinitive)
            if agreement in lists.DO.get(word, ""):
                ends |= self.then(negated, self.base)
            for form in ("VBD", "VBZ" if agreement == "s" else "VBP"):
                ends |= self.verb_and_rest(start, form, gap)
        return ends

    @_memo
    def verb_phrase(self, i: int, agreement: str, gap: bool) -> int:
        """One finite verb group, or up to three joined."""
        one = ends = self.verb_group(i, agreement, gap)
        for _ in range(2):
            joint = self.then(self.maybe(one, self.comma), self.is_word, ("and", "but", "or", "then"))
            joint |= self.then(one, self.comma)
            joint = self.then(joint, self.time_or_adverb)
            one = self.then(joint, self.verb_group, agreement, gap)
            ends |= one
        return ends

    def time_or_adverb(self, i: int) -> int:
        """Nothing, adverbs, or a comma-free prepositional phrase."""
        return self.adverbs(i)

    @_memo
    def clause(self, i: int, gap: bool) -> int:
        """A subject and a finite verb phrase."""
        one, many = self.noun_phrase(i)
        ends = self.then(self.then(one, self.adverbs), self.verb_phrase, "s", gap)
        ends |= self.then(self.then(many, self.adverbs), self.verb_phrase, "p", gap)
        ends |= self.then(self.is_word(i, ("i",)), self.verb_phrase, "i", gap)
        also_i = self.then(self.is_word(i, ("i", "me")), self.is_word, ("and",))
        ends |= self.then(self.then(also_i, self.object), self.verb_phrase, "p", gap)
        there = self.then(self.is_word(i, ("there", "here")), self.adverbs)
        there = self.maybe(there, self.is_word, lists.MODALS)
        there = self.maybe(there, self.is_word, ("has", "have", "had"))
        exists = self.then(there, self.is_word, {*lists.BE, "'s", "be", "been"})
        exists = self.then(self.then(exists, self.adverbs), self.object)
        return ends | self.then(exists, self.rest, _BE_THERE, True)

    # ---------------------------------------------------------------- sentences

    @_memo
    def front(self, i: int) -> int:
        """What can stand before the subject, with or without a comma."""
        ends = self.adverbs(i) & ~(1 << i)
        ends |= self.prepositional(i) | self.time_phrase(i) | self.subordinate(i)
        with_comma = ends | self.participial(i) | self.infinitive(i) | self.adjective_phrase(i)
        return ends | self.then(with_comma, self.comma)

    @_memo
    def sentence(self, i: int) -> int:
        """Fronted adverbials, a clause, and possibly a second one; or a question."""
        start = step = 1 << i
        for _ in range(3):
            step = self.then(step, self.front)
            start |= step
        first = self.then(start, self.clause, False)
        first |= self.then(start, self.inverted)
        joint = self.then(self.maybe(first, self.comma), self.is_word, lists.CONJUNCTIONS)
        joint = self.then(joint, self.maybe_front)
        return first | self.then(joint, self.clause, False) | self.question(i)

    def maybe_front(self, i: int) -> int:
        """Zero or one fronted adverbial."""
        return 1 << i | self.front(i)

    @_memo
    def inverted(self, i: int) -> int:
        """ "on the table stood a lamp": only after a fronted phrase, with verbs of place."""
        if i == 0 or i >= self.size or self.tokens[i].verbs.isdisjoint(_PLACE_VERBS):
            return 0
        ends = self.then(self.is_a(i, "VBD", "VBZ", "VBP") | self.is_word(i, lists.BE), self.object)
        return self.then(ends, self.rest, _BE_THERE, True)

    @_memo
    def question(self, i: int) -> int:
        """ "Did the dog eat?", "Where is my hat?", "Who took it?"."""
        if not self.asks:
            return 0
        start = 1 << i
        asked = self.is_word(i, lists.QUESTION_WORDS)
        start |= self.maybe(asked, self.is_a, "ADJ", "ADV", "Np", "Ns", "Nm")
        helper = self.then(start, self.is_word, {*lists.BE, *lists.HAVE, *lists.DO, *lists.MODALS})
        helper = self.maybe(helper, self.is_word, ("n't", "not"))
        subject = self.then(helper, self.object) | self.then(helper, self.is_word, ("i",))
        ends = self.then(subject, self.base) | self.then(subject, self.be_rest)
        ends |= self.then(subject, self.perfect)
        return ends | self.then(asked, self.verb_phrase, "s", True)


# After "be" and its complement only adverbials follow, as after this verb.
_BE_THERE = "exist"
# Compound prepositions whose first word is also one by itself.
_SIMPLE_TOO = frozenset("out up down off inside outside over along from as except".split())
_BEFORE_A = frozenset("such what quite half rather just only almost about not".split())
_PLACE_ADVERBS = frozenset(
    "here there home inside outside upstairs downstairs afar above below behind now then today "
    "yesterday tomorrow tonight abroad school once everywhere nearby far indoors outdoors least "
    "first last long".split()
)
_PLACE_VERBS = frozenset("stand sit lie be come hang live go lurk rest".split())

"""The rules for adverbs, adjectives, noun phrases and prepositional phrases."""

from __future__ import annotations

from corgi_gym.rewards import _wordlists as lists
from corgi_gym.rewards._recogniser import COMMA, Recogniser, bits, memo, memo_if

_DETERMINERS = lists.DET_ANY | lists.DET_ONE | lists.DET_MANY
_PRONOUNS = lists.SUBJECT_ONE | lists.OBJECT
_EACH = ("each", "either", "neither", "any")
_COUNTED = lists.DET_MANY | {"other", "next", "last"}
_BEFORE_ADJECTIVE = lists.INTENSIFIERS | {
    "as",
    "more",
    "so",
    "too",
    "neither",
    "either",
    "both",
    "that",
}
# Subjects that are no objects, and what they stand behind after all ("taller than he").
_NO_OBJECT = ("he", "she", "we", "they")
# Words beside those in -er that "than" goes with.
_COMPARING = ("more", "less", "worse", "other", "rather", "different")
# After these "her" is no object: "When her saw it".
_BEFORE_SUBJECT = ("", "when", "while", "because", "if", "although", "though")
_WIDE = ("all", "both", "half", "just", "only", "almost")
_BEGINS_ADJECTIVE = lists.INTENSIFIERS | lists.NUMBERS
_ADJECTIVES = ("ADV", "ADJ", "VBG", "VBN")
_BEING = ("being", "having")
_BEGINS_DETERMINED = _DETERMINERS.union(_WIDE, lists.BEFORE_A)
# What a noun phrase begins with: words, and readings.
BEGINS_PHRASE = frozenset().union(
    _DETERMINERS, _WIDE, _BEING, _BEGINS_ADJECTIVE, lists.SUBJECT_ONE, lists.SUBJECT_MANY,
    lists.OBJECT, lists.BEFORE_A, lists.PLURAL_MODIFIERS,
)  # fmt: skip
_BEGINS_PREPOSITIONAL = lists.PREPOSITIONS.union(lists.COMPOUND_PREPOSITIONS, lists.INTENSIFIERS)
PHRASE_READINGS = (
    "NAME", "NAMEPOSS", "POSSp", "ADV", "ADJ", "VBG", "VBN", "Ns", "Nm", "Np",
)  # fmt: skip


class NounPhrases(Recogniser):
    """Phrases without a finite verb; the clauses inside them are `Grammar`'s.

    A singular countable noun needs a determiner, at most two nouns stand in a row, and a noun
    phrase has at most one possessor.
    """

    # ---------------------------------------------------------------- adverbs and adjectives

    def adverbs(self, i: int) -> int:
        """Up to three adverbs, possibly none."""
        return 1 << i | self.some_adverbs(i)

    @memo_if((), "ADV")
    def some_adverbs(self, i: int) -> int:
        """One to three adverbs."""
        ends, step = 0, 1 << i
        for number in range(3):
            if number:
                step = self.maybe_word(step, ("and",))
            step = self.then_a(step, "ADV")
            if not step:
                break
            ends |= step
        return ends

    @memo_if(_BEGINS_ADJECTIVE, *_ADJECTIVES)
    def adjective(self, i: int) -> int:
        """An adjective or participle, possibly with an intensifier."""
        start = self.maybe_word(1 << i, lists.INTENSIFIERS)
        start |= self.is_a(i, "ADV")
        counted = self.then_word(start, lists.NUMBERS - {"one"})  # "one" is no adjective of "balls"
        return self.then_a(start, "ADJ", "VBG", "VBN") | counted

    def modifiers(self, i: int) -> int:
        """Up to four adjectives before a noun; commas and "and" may stand between them."""
        return 1 << i | self.some_modifiers(i)

    @memo_if(_BEGINS_ADJECTIVE, *_ADJECTIVES)
    def some_modifiers(self, i: int) -> int:
        """One to four adjectives."""
        ends, step = 0, 1 << i
        for number in range(4):
            if number:
                step = self.maybe_word(step, COMMA) | self.then_word(step, ("and", "or"))
            step = self.then(step, self.adjective)
            if not step:
                break
            ends |= step
        return ends

    @memo_if(_BEFORE_ADJECTIVE, "ADV", "ADJ", "VBN")
    def adjective_phrase(self, i: int) -> int:
        """A predicate adjective: "happy and proud", "as tall as the tree", "ready to go".

        Lists too ("funny, smart and brave"), and "neither good nor bad".
        """
        start = self.maybe_word(1 << i, _BEFORE_ADJECTIVE - {"that"})
        if i and self.words[i - 1] == "not":  # "not that hot"
            start |= self.is_word(i, ("that",))
        start = self.maybe_a(start, "ADV")
        one = self.then_a(start, "ADJ", "VBN")
        enough = self.maybe_word(one, ("enough",))
        more = self.then_word(self.maybe_word(enough, COMMA), ("and", "but", "yet"))
        listed = self.then_word(enough, COMMA)
        for _ in range(2):
            middle = self.then_a(self.then(listed, self.adverbs), "ADJ", "VBN")
            listed = self.then_word(middle, COMMA)
            more |= self.then_word(middle | listed, ("and", "but"))
        ends = enough | self.then_a(self.then(more, self.adverbs), "ADJ", "VBN")
        for first, second in (("neither", "nor"), ("either", "or"), ("both", "and")):
            pair = self.then_a(self.then(self.is_word(i, (first,)), self.adverbs), "ADJ", "VBN")
            pair = self.then(self.then_word(pair, (second,)), self.adverbs)
            ends |= self.then_a(pair, "ADJ", "VBN")
        # "sure that ...", "so cold that ..."
        ends |= self.then(self.then_word(one, ("that",)), self.that_clause)
        return ends

    # ---------------------------------------------------------------- noun phrases

    @memo_if(lists.PLURAL_MODIFIERS, "Ns", "Nm", "Np")
    def before_noun(self, i: int) -> int:
        """Nothing or one other noun, in front of a noun ("soccer ball")."""
        start = 1 << i
        if not (i + 1 < self.size and self.tokens[i].apart and self.tokens[i + 1].apart):
            start |= self.is_a(i, "Ns", "Nm")
            start |= self.is_word(i, lists.PLURAL_MODIFIERS)
        return start

    @memo_if(_DETERMINERS, "NAME", "NAMEPOSS", "POSSp")
    def possessor(self, i: int) -> int:
        """Something like "my friend's", "Emma's" or "Mr. Brown's" in front of a noun."""
        start = self.is_word(i, _DETERMINERS)
        ends = self.then_a(self.then(start, self.modifiers), "POSS")
        name = self.maybe_a(1 << i, "NAME")
        return ends | self.then_a(name, "NAMEPOSS") | self.is_a(i, "POSSp")

    @memo_if(BEGINS_PHRASE, *PHRASE_READINGS)
    def simple(self, i: int) -> tuple[int, int]:
        """A noun phrase without complements: (ends if singular, ends if plural)."""
        one, many = self.determined(i)
        before = self.words[i - 1] if i else ""
        if not (self.words[i] == "her" and before in _BEFORE_SUBJECT):
            one |= self.is_word(i, _PRONOUNS)
        many |= self.is_word(i, lists.SUBJECT_MANY)
        name = self.is_a(i, "NAME")
        one |= name | self.then_a(name, "NAME")
        bare = self.then(self.modifiers(i), self.before_noun)
        one |= self.then_a(bare, "Nm")
        many |= self.then_a(bare, "Np")
        return one, many

    @memo_if(_BEGINS_DETERMINED, "NAME", "NAMEPOSS", "POSSp")
    def determined(self, i: int) -> tuple[int, int]:
        """A noun phrase that begins with a determiner, as `simple` gives it."""
        one = self.then_word(self.is_word(i, ("a",)), ("while", "lot", "bit"))
        # all of / half the / the two ...
        wide = self.maybe_word(1 << i, _WIDE)
        loose = self.then_word(wide, lists.DET_ANY) | self.then(wide, self.possessor)
        counted = self.maybe_word(loose, _COUNTED)
        single = self.is_word(i, lists.DET_ONE) | self.then_word(loose, ("one", "other"))
        single |= self.then_word(self.is_word(i, lists.BEFORE_A), ("a", "an"))
        several = self.then_word(wide, lists.DET_MANY)
        several |= self.then_word(self.is_word(i, ("a",)), lists.AFTER_A)
        several |= self.then_word(several, ("more", "other", "hundred", "thousand"))
        fixed = self.then(self.then(single | loose, self.modifiers), self.before_noun)
        one |= self.then_a(fixed, "Ns", "Nm")
        plural = self.then(loose | counted | several, self.modifiers)
        many = self.then_a(self.then(plural, self.before_noun), "Np")
        many |= self.then_word(plural, ("ones",))
        chosen = self.then(loose, self.modifiers) | self.then(single, self.some_modifiers)
        one |= self.then_word(chosen, ("one",))  # "the red one"
        # "a hat and coat": a second noun under the same article
        joint = self.then_word(self.then_a(fixed, "Ns", "Nm"), ("and", "or"))
        second = self.then(self.then(joint, self.modifiers), self.before_noun)
        many |= self.then_a(second, "Ns")
        return one, many

    @memo_if(BEGINS_PHRASE, *PHRASE_READINGS)
    def noun_phrase(self, i: int) -> tuple[int, int]:
        """A noun phrase with what follows it, and lists of them."""
        one, many = self.one_phrase(i)
        both = one | many
        if not both:
            return self.either(i), self.both(i)
        tail = self.then_word(both, ("and", "or", "nor"))
        tail |= self.then_word(self.then_word(both, COMMA), ("and", "or", "then"))
        second = self.then_word(both, COMMA)  # a, b and c: at most two commas
        for _ in range(2):
            if not second:
                break
            middle = self.then(second, self.any_phrase)
            middle = self.maybe_word(middle, COMMA)
            tail |= self.then_word(middle, ("and", "or"))
            second = self.then_word(middle, COMMA)
        tail = self.maybe(tail, self.adverbs)
        many |= self.then(tail, self.any_phrase) | self.then_word(tail, ("i",))
        return one | self.either(i), many | self.both(i)

    def either(self, i: int) -> int:
        """For example "neither the dog nor the cat", which is either number."""
        return self._pair(i, "neither", "nor") | self._pair(i, "either", "or")

    def both(self, i: int) -> int:
        """For example "both the dog and the cat"; and `either`."""
        return self._pair(i, "both", "and") | self.either(i)

    def _pair(self, i: int, first: str, second: str) -> int:
        joint = self.then_word(self.then(self.is_word(i, (first,)), self.any_phrase), (second,))
        return self.then(joint, self.any_phrase) | self.then_word(joint, ("i",))

    def any_phrase(self, i: int) -> int:
        """`one_phrase` of either number."""
        one, many = self.one_phrase(i)
        return one | many

    def object(self, i: int) -> int:
        """`noun_phrase` of either number; "him", not "he"."""
        compared = self.words[i - 1] in ("than", "as") and self._compares(i)
        if self.words[i] in _NO_OBJECT and not compared:
            return 0
        one, many = self.noun_phrase(i)
        return one | many

    @memo_if(BEGINS_PHRASE, *PHRASE_READINGS)
    def one_phrase(self, i: int) -> tuple[int, int]:
        """A simple noun phrase with prepositional phrases, a relative or participial clause."""
        one, many = self.simple(i)
        # "a lot of people are", "a group of children is": either number
        quantity = self.then(self.then_word(one | many, ("of",)), self.any_phrase)
        each = self.then_word(self.is_word(i, _EACH), ("of",))
        quantity |= self.then(each, self.several)
        part = self.then_word(self.is_word(i, ("much", "half")), ("of",))
        quantity |= self.then(part, self.any_phrase)
        gerund = self.gerund(i)
        return self.attach(one | quantity) | gerund, self.attach(many | quantity)

    def _compares(self, i: int) -> bool:
        """Whether a comparative ("taller", "more") or "as tall as" stands before."""
        return self.words[:i].count("as") > 1 or any(
            token.word in _COMPARING
            or (token.word.endswith("er") and not token.readings.isdisjoint(("ADJ", "ADV")))
            for token in self.tokens[:i]
            if token.word != "never"
        )

    def several(self, i: int) -> int:
        """What "each of" goes with: "the dogs", "us"."""
        return self.one_phrase(i)[1] | self.is_word(i, ("us", "them", "you"))

    def attach(self, ends: int) -> int:
        """What can follow a noun."""
        if not ends:
            return 0
        step = ends
        for _ in range(3):
            step = self.then(step, self.prepositional)
            if not step:
                break
            ends |= step
        ends = self.maybe_word(ends, lists.AFTER_NOUN)
        without = ends
        extra = self.then(ends, self.relative) | self.then(ends, self.participial)
        extra |= self.then(ends, self.infinitive)
        described = self.then_a(ends, "ADJ")
        extra |= self.then(described, self.prepositional)
        ends |= extra
        comma = self.then_word(without, COMMA)
        if comma:
            inserted = self.then(comma, self.relative) | self.then(comma, self.participial)
            ends |= self.then_word(inserted, COMMA)
        return ends

    @memo_if(lists.TIME_DETERMINERS | {"the"})
    def time_phrase(self, i: int) -> int:
        """An adverbial noun phrase: "every morning", "last week", "all day", "two hours ago"."""
        which = ("few", "next", "last", "other", "whole", "past", "same")
        start = self.is_word(i, lists.TIME_DETERMINERS)
        start = self.maybe_word(start, ("the", *which))
        start |= self.then_word(self.is_word(i, ("the",)), which)
        start = self.maybe_a(start, "ADJ")
        ends = self.then_word(start, lists.TIMES)
        ends = self.maybe_word(ends, lists.TIMES)
        ends = self.maybe_word(ends, ("ago", "long", "later", "before"))
        when = self.then_word(self.is_word(i, ("the",)), lists.TIMES)
        if self.then_word(when, ("before", "after", "when")):  # "the night before ..."
            ends |= when
        return ends

    @memo_if(_BEGINS_PREPOSITIONAL, "ADV")
    def prepositional(self, i: int) -> int:
        """A preposition and its noun phrase, gerund or place adverb."""
        ends = 0
        starts = self.maybe_word(1 << i, lists.INTENSIFIERS) | self.is_a(i, "ADV")
        for start in bits(starts):
            if start >= self.size:
                continue
            head = self.is_word(start, lists.PREPOSITIONS)
            needs = lists.COMPOUND_PREPOSITIONS.get(self.tokens[start].word)
            if needs:
                pair = self.then_word(1 << (start + 1), needs)
                simple = self.tokens[start].word in lists.SIMPLE_TOO
                head = pair | (head if simple else 0)
            ends |= self.then(head, self.preposed)
        return ends

    @memo
    def preposed(self, i: int) -> int:
        """What follows a preposition."""
        ends = self.object(i) | self.time_phrase(i) | self.is_word(i, lists.PLACE_ADVERBS)
        ends |= self.then_word(self.is_word(i, lists.NUMBERS), ("o'clock",))
        ends |= self.gerund(i) | self.question_clause(i)
        bare = self.maybe_a(1 << i, "ADJ", "VBG")
        ends |= self.then_word(bare, lists.BARE_AFTER_PREPOSITION)
        return ends | self.idiom(i)

    def idiom(self, i: int) -> int:
        """Idioms: "hand in hand", "side by side", "next door"."""
        ends = self.then_word(self.is_word(i, ("next",)), ("door",))
        if i + 2 < self.size and self.tokens[i + 2].word == self.tokens[i].word:
            joint = self.then_word(self.is_a(i, "Ns"), ("by", "in", "to", "after"))
            ends |= self.then_a(joint, "Ns")
        return ends

    # ---------------------------------------------------------------- rules of Grammar

    def that_clause(self, i: int) -> int:
        """See `Grammar`."""
        raise NotImplementedError

    def relative(self, i: int) -> int:
        """See `Grammar`."""
        raise NotImplementedError

    def participial(self, i: int) -> int:
        """See `Grammar`."""
        raise NotImplementedError

    def gerund(self, i: int) -> int:
        """See `Grammar`."""
        raise NotImplementedError

    def infinitive(self, i: int) -> int:
        """See `Grammar`."""
        raise NotImplementedError

    def question_clause(self, i: int) -> int:
        """See `Grammar`."""
        raise NotImplementedError

"""The rules for adverbs, adjectives, noun phrases and prepositional phrases."""

from __future__ import annotations

from corgi_gym.rewards import _wordlists as lists
from corgi_gym.rewards._recogniser import Recogniser, bits, memo


class NounPhrases(Recogniser):
    """Phrases without a finite verb; the clauses inside them are `Grammar`'s.

    A singular countable noun needs a determiner, at most two nouns stand in a row, and a noun
    phrase has at most one possessor.
    """

    # ---------------------------------------------------------------- adverbs and adjectives

    @memo
    def adverbs(self, i: int) -> int:
        """Up to three adverbs, possibly none."""
        ends = step = 1 << i
        for number in range(3):
            if number:
                step = self.maybe(step, self.is_word, ("and",))
            step = self.then(step, self.is_a, "ADV")
            ends |= step
        return ends

    @memo
    def adjective(self, i: int) -> int:
        """An adjective or participle, possibly with an intensifier."""
        start = self.maybe(1 << i, self.is_word, lists.INTENSIFIERS)
        start |= self.is_a(i, "ADV")
        return self.then(start, self.is_a, "ADJ", "VBG", "VBN") | self.then(
            start, self.is_word, lists.NUMBERS
        )

    @memo
    def modifiers(self, i: int) -> int:
        """Up to four adjectives before a noun; commas and "and" may stand between them."""
        ends = step = 1 << i
        for number in range(4):
            if number:
                step = self.maybe(step, self.comma) | self.then(step, self.is_word, ("and", "or"))
            step = self.then(step, self.adjective)
            ends |= step
        return ends

    @memo
    def adjective_phrase(self, i: int) -> int:
        """A predicate adjective: "happy and proud", "as tall as the tree", "ready to go"."""
        start = self.maybe(1 << i, self.is_word, lists.INTENSIFIERS | {"as", "more", "so", "too"})
        start = self.maybe(start, self.is_a, "ADV")
        one = self.then(start, self.is_a, "ADJ", "VBN")
        enough = self.maybe(one, self.is_word, ("enough",))
        more = self.then(self.maybe(enough, self.comma), self.is_word, ("and", "but", "yet"))
        ends = enough | self.then(self.then(more, self.adverbs), self.is_a, "ADJ", "VBN")
        # "sure that ...", "so cold that ..."
        ends |= self.then(self.then(one, self.is_word, ("that",)), self.that_clause)
        return ends

    # ---------------------------------------------------------------- noun phrases

    @memo
    def noun(self, i: int, kind: str) -> int:
        """A noun of a kind, possibly after one other noun ("soccer ball")."""
        start = 1 << i
        if not (i + 1 < self.size and self.tokens[i].apart and self.tokens[i + 1].apart):
            start |= self.is_a(i, "Ns", "Nm")
            start |= self.is_word(i, lists.PLURAL_MODIFIERS)
        return self.then(start, self.is_a, kind)

    @memo
    def possessor(self, i: int) -> int:
        """Something like "my friend's" or "Emma's" in front of a noun."""
        start = self.is_word(i, lists.DET_ANY | lists.DET_ONE | lists.DET_MANY)
        ends = self.then(self.then(start, self.modifiers), self.is_a, "POSS")
        return ends | self.is_a(i, "NAMEPOSS") | self.is_a(i, "POSSp")

    @memo
    def simple(self, i: int) -> tuple[int, int]:
        """A noun phrase without complements: (ends if singular, ends if plural)."""
        one = self.is_word(i, lists.SUBJECT_ONE | lists.OBJECT)
        many = self.is_word(i, lists.SUBJECT_MANY)
        one |= self.then(self.is_word(i, ("a",)), self.is_word, ("while", "lot", "bit"))
        name = self.is_a(i, "NAME")
        one |= name | self.then(name, self.is_a, "NAME")
        # all of / half the / the two ...
        wide = self.maybe(1 << i, self.is_word, ("all", "both", "half", "just", "only", "almost"))
        loose = self.then(wide, self.is_word, lists.DET_ANY) | self.then(wide, self.possessor)
        counted = self.maybe(loose, self.is_word, lists.DET_MANY | {"other", "next", "last"})
        single = self.is_word(i, lists.DET_ONE) | self.then(loose, self.is_word, ("one", "other"))
        single |= self.then(self.is_word(i, lists.BEFORE_A), self.is_word, ("a", "an"))
        several = self.then(wide, self.is_word, lists.DET_MANY)
        several |= self.then(self.is_word(i, ("a",)), self.is_word, lists.AFTER_A)
        several |= self.then(several, self.is_word, ("more", "other", "hundred", "thousand"))
        bare = self.modifiers(i)
        fixed = self.then(single | loose, self.modifiers)
        one |= self.then(fixed, self.noun, "Ns") | self.then(fixed | bare, self.noun, "Nm")
        plural = self.then(loose | counted | several, self.modifiers)
        many |= self.then(plural | bare, self.noun, "Np")
        many |= self.then(plural, self.is_word, ("ones",))
        # "a hat and coat": a second noun under the same article
        shared = self.then(fixed, self.noun, "Ns") | self.then(fixed, self.noun, "Nm")
        joined = self.then(self.then(shared, self.is_word, ("and", "or")), self.modifiers)
        many |= self.then(joined, self.noun, "Ns")
        return one, many

    @memo
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

    @memo
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
        ends = self.maybe(ends, self.is_word, lists.AFTER_NOUN)
        extra = self.then(ends, self.relative) | self.then(ends, self.participial)
        extra |= self.then(ends, self.infinitive)
        described = self.then(ends, self.is_a, "ADJ")
        extra |= self.then(described, self.prepositional)
        inserted = self.then(self.then(ends, self.comma), self.relative)
        inserted |= self.then(self.then(ends, self.comma), self.participial)
        return ends | extra | self.then(inserted, self.comma)

    @memo
    def time_phrase(self, i: int) -> int:
        """An adverbial noun phrase: "every morning", "last week", "all day", "two hours ago"."""
        which = ("few", "next", "last", "other", "whole", "past", "same")
        start = self.is_word(i, lists.TIME_DETERMINERS)
        start = self.maybe(start, self.is_word, ("the", *which))
        start |= self.then(self.is_word(i, ("the",)), self.is_word, which)
        start = self.maybe(start, self.is_a, "ADJ")
        ends = self.then(start, self.is_word, lists.TIMES)
        ends = self.maybe(ends, self.is_word, lists.TIMES)
        ends = self.maybe(ends, self.is_word, ("ago", "long", "later", "before"))
        when = self.then(self.is_word(i, ("the",)), self.is_word, lists.TIMES)
        if self.then(when, self.is_word, ("before", "after", "when")):  # "the night before ..."
            ends |= when
        return ends

    @memo
    def prepositional(self, i: int) -> int:
        """A preposition and its noun phrase, gerund or place adverb."""
        ends = 0
        starts = self.maybe(1 << i, self.is_word, lists.INTENSIFIERS) | self.is_a(i, "ADV")
        for start in bits(starts):
            if start >= self.size:
                continue
            head = self.is_word(start, lists.PREPOSITIONS)
            needs = lists.COMPOUND_PREPOSITIONS.get(self.tokens[start].word)
            if needs:
                pair = self.then(1 << (start + 1), self.is_word, needs)
                simple = self.tokens[start].word in lists.SIMPLE_TOO
                head = pair | (head if simple else 0)
            ends |= self.then(head, self.preposed)
        return ends

    @memo
    def preposed(self, i: int) -> int:
        """What follows a preposition."""
        ends = self.object(i) | self.time_phrase(i) | self.is_word(i, lists.PLACE_ADVERBS)
        ends |= self.then(self.is_word(i, lists.NUMBERS), self.is_word, ("o'clock",))
        ends |= self.gerund(i) | self.question_clause(i)
        bare = self.maybe(1 << i, self.is_a, "ADJ", "VBG")
        ends |= self.then(bare, self.is_word, lists.BARE_AFTER_PREPOSITION)
        return ends | self.idiom(i)

    def idiom(self, i: int) -> int:
        """Idioms: "hand in hand", "side by side", "next door"."""
        ends = self.then(self.is_word(i, ("next",)), self.is_word, ("door",))
        if i + 2 < self.size and self.tokens[i + 2].word == self.tokens[i].word:
            joint = self.then(self.is_a(i, "Ns"), self.is_word, ("by", "in", "to", "after"))
            ends |= self.then(joint, self.is_a, "Ns")
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

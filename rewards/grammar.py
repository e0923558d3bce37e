"""Does a sequence of words parse as an English sentence? Verbs, clauses and sentences.

The grammar covers the declarative sentences (and simple questions) that people write about everyday
scenes. It is a recogniser: it answers yes or no, and how far it came.

It is deliberately narrow where degenerate text lives: a singular countable noun needs an article,
at most two nouns stand in a row, one possessive per noun phrase, verbs agree with their subject,
verbs that need an object get one, and an object stands next to its verb. It is wide in the order of
adverbials, and it knows nothing of meaning.
"""

from __future__ import annotations

from enum import IntEnum, auto

from corgi_gym.rewards import _wordlists as lists
from corgi_gym.rewards._noun_phrases import BEGINS_PHRASE, PHRASE_READINGS, NounPhrases
from corgi_gym.rewards._recogniser import COMMA, Token, bits, memo, memo_if

__all__ = ["Grammar", "Token"]


class Gap(IntEnum):
    """Whether a clause's object is elsewhere, as in "the cake that she baked".

    In a passive it is the subject; only verbs with two objects have another one.
    """

    NONE = auto()
    ALLOWED = auto()
    REQUIRED = auto()
    PASSIVE = auto()


# Words that some rules begin with.
_BEING = ("being", "having")
_BEFORE_TO = ("not", "how", "where", "what", "when", "which")
_WHOLE = ("how", "where", "why", "when", "if", "whether", "that")
_MISSING = ("what", "which", "who", "whatever")
# What stands before a verb in base form -> the subjects that it agrees with.
_BEFORE_BASE = {**lists.DO, **dict.fromkeys(lists.MODALS, "spi")}
# Words that are objects and no subjects.
_NO_SUBJECT = ("me", "him", "us", "them")
_EARLY = ("just", "even", "right", "only", "soon", "ever")
_SO = ("so", "as", "now")
_BEGINS_RELATIVE = lists.PREPOSITIONS.union(
    lists.PRONOUN_SUBJECTS,
    ("who", "that", "which", "whom", "all", "everything", "where", "when", "whose"),
)
_HELPERS = frozenset((*lists.BE, *lists.HAVE, *lists.DO, *lists.MODALS))
# What strengthens adjectives and adverbs only: "very tired", not "very threw".
_DEGREE = frozenset(("very", "extremely", "incredibly"))
_FINITE_FORMS = frozenset(("VBD", "VBZ", "VBP"))
# Verbs that want an object -> what makes them do without ("chased after the cat").
_WITHOUT_OBJECT = {
    "chase": ("after",), "hold": ("on", "onto", "still"), "kick": ("at",), "pick": ("at", "on"),
    "carry": ("on",), "give": ("up", "in", "way"), "cut": ("through", "into"), "pay": ("for",),
    "catch": ("up", "on"), "take": ("off", "over"), "throw": ("up",), "care": ("for", "about"),
}  # fmt: skip
# Games that one plays without an article.
_PLAYED = ("ball", "catch")
# Prepositions that may stand alone where their noun comes before: "the boy she plays with".
_STRANDED = frozenset(
    ("with", "at", "to", "for", "on", "in", "about", "from", "by", "of", "into", "behind", "after")
)
_EXCLAIMED = ("wow", "oh", "yes", "no", "well", "hey", "please")
_BEGINS_SUBORDINATE = lists.SUBORDINATORS.union(_EARLY, _SO, ("with",))


class Grammar(NounPhrases):
    """The recogniser of one sentence.

    Example:
        >>> def token(word, *readings, verbs=()):
        ...     return Token(word, frozenset(readings), frozenset(verbs))
        >>> words = [token("the"), token("dog", "Ns"), token("barks", "VBZ", verbs=["bark"])]
        >>> Grammar(words).accepts()
        True
    """

    def __init__(self, tokens: list[Token], asks: bool = False, events: bool = False) -> None:
        super().__init__(tokens, asks, events)
        # where a main clause of an event has no verb: "the walk occurs", "the walk takes place"
        self.happening = 0
        for i, token in enumerate(tokens if events else ()):
            place = "take" in token.verbs and i + 1 < self.size and tokens[i + 1].word == "place"
            if place or not token.verbs.isdisjoint(lists.HAPPENING):
                self.happening |= 3 << i if place else 1 << i

    def accepts(self) -> bool:
        """Whether the whole sequence is a sentence."""
        return bool(self.sentence(0) >> self.size & 1)

    # ---------------------------------------------------------------- clauses inside others

    def relative(self, i: int) -> int:
        """For example "who lives here", "that she baked", "where they sleep", "in which it lay"."""
        ends = self.begun_relative(i)
        # "everything the sailor said"
        if i and self.tokens[i - 1].word in lists.ALL_THINGS:
            ends |= self.clause(i, Gap.REQUIRED)
        return ends

    @memo_if(_BEGINS_RELATIVE)
    def begun_relative(self, i: int) -> int:
        """A relative clause that shows in its first word."""
        subject = self.is_word(i, ("who", "that", "which"))
        missing = subject | self.is_word(i, ("whom",))
        missing |= self.then_word(self.is_word(i, ("all", "everything")), ("that",))
        whole = self.is_word(i, ("where", "when"))
        whole |= self.then_word(self.is_word(i, lists.PREPOSITIONS), ("which", "whom"))
        ends = self.then(missing, self.clause, Gap.REQUIRED) | self.then(whole, self.clauses)
        if self.is_word(i, ("whose",)):  # the determiner of its subject: "whose dog barks"
            ends |= self.clauses(i)
        if subject:
            ends |= self.then(subject, self.verb_phrase, "s", Gap.NONE)
            ends |= self.then(subject, self.verb_phrase, "p", Gap.NONE)
        if self.tokens[i].word in lists.PRONOUN_SUBJECTS:  # "the cake she baked"
            ends |= self.clause(i, Gap.REQUIRED)
        return ends

    @memo_if(_BEING, "ADV", "VBG", "VBN")
    def participial(self, i: int) -> int:
        """For example "holding a hat", "covered in snow" (with an adverb before it)."""
        start = self.adverbs(i)
        return self.then(start, self.gerund) | self.then(start, self.passive)

    @memo_if(_BEING, "VBG")
    def gerund(self, i: int) -> int:
        """An -ing phrase, or two joined by "and"."""
        one = self.verb_and_rest(i, "VBG", Gap.NONE)
        joint = self.then_word(self.maybe_word(one, COMMA), ("and", "or", "then"))
        joint = self.then(joint, self.adverbs)
        ends = one | self.then(joint, self.verb_and_rest, "VBG", Gap.NONE)
        being = self.is_word(i, ("being", "having"))
        return ends | self.then(being, self.passive) | self.then(being, self.be_rest)

    @memo_if((), "VBN")
    def passive(self, i: int) -> int:
        """A past participle phrase, or two joined by "and"."""
        one = self.verb_and_rest(i, "VBN", Gap.PASSIVE)
        joint = self.then_word(self.maybe_word(one, COMMA), ("and", "or", "then"))
        return one | self.then(
            self.then(joint, self.adverbs), self.verb_and_rest, "VBN", Gap.PASSIVE
        )

    @memo_if(("be", "have"), "ADV", "VB")
    def base(self, i: int, main: bool = False, gap: Gap = Gap.ALLOWED) -> int:
        """A verb group in base form, or two or three joined."""
        start = self.adverbs(i)
        if main:
            start &= ~self.happening
        one = self.then(start, self.verb_and_rest, "VB", gap)
        be = self.then_word(start, ("be",))
        one |= self.then(be, self.be_rest, main, gap)
        have = self.then(self.then_word(start, ("have",)), self.adverbs)
        one |= self.then(have, self.perfect, main, gap)
        ends = one
        for _ in range(2):
            joint = self.then_word(self.maybe_word(one, COMMA), ("and", "or", "but"))
            ends |= self.then(self.then(joint, self.adverbs), self.verb_and_rest, "VB", gap)
            one = self.then(self.then_word(one, COMMA), self.verb_and_rest, "VB", gap)
        return ends

    @memo_if(("to", "in", "so", *_BEFORE_TO))
    def infinitive(self, i: int) -> int:
        """For example "to" and a base verb group, with "so as" or "in order" before it."""
        start = self.maybe_word(1 << i, _BEFORE_TO)
        start |= self.then_word(self.is_word(i, ("in",)), ("order",))
        start |= self.then_word(self.is_word(i, ("so",)), ("as",))
        return self.then(self.then_word(start, ("to",)), self.base)

    @memo_if((*_WHOLE, *_MISSING, "whose"))
    def question_clause(self, i: int) -> int:
        """For example "what she wants", "how the clock works", "who won"."""
        whole = self.is_word(i, _WHOLE)
        how = self.then_a(self.is_word(i, ("how",)), "ADJ", "ADV")
        ends = self.then(whole | how, self.clause, Gap.NONE)
        ends |= self.then(self.is_word(i, ("that",)), self.that_clause)
        what = self.is_word(i, _MISSING)
        what |= self.then_a(self.is_word(i, ("what", "which", "whose")), "Np", "Ns", "Nm")
        ends |= self.then(what, self.clause, Gap.REQUIRED)
        for agreement in "sp":
            ends |= self.then(what, self.verb_phrase, agreement, Gap.NONE)
        return ends

    @memo_if(_BEGINS_SUBORDINATE)
    def subordinate(self, i: int) -> int:
        """For example "while the dog sleeps", "after eating lunch", "so that it shines"."""
        early = self.maybe_word(1 << i, _EARLY)
        head = self.then_word(early, lists.SUBORDINATORS)
        head |= self.then_word(head, ("that", "if", "though", "soon"))
        head |= self.then_word(self.is_word(i, _SO),
                          ("that", "if", "soon", "long", "well", "far"))  # fmt: skip
        head |= self.then_word(head, ("as",))
        ends = self.then(head, self.clauses) | self.then(head, self.participial)
        with_noun = self.then(self.is_word(i, ("with",)), self.object)
        return ends | self.then(with_noun, self.be_rest)

    @memo
    def clauses(self, i: int) -> int:
        """A clause, or two joined by "and" or "but"."""
        ends = self.clause(i, Gap.NONE)
        joint = self.then_word(self.maybe_word(ends, COMMA), ("and", "but"))
        return ends | self.then(joint, self.clause, Gap.NONE)

    @memo_if(lists.POSSESSIVE)
    def absolute(self, i: int) -> int:
        """For example "his eyes fixed on the road", "her hair blowing in the wind"."""
        if not self.is_word(i, lists.POSSESSIVE):
            return 0
        one, many = self.simple(i)
        return self.then(one | many, self.participial)

    def that_clause(self, i: int) -> int:
        """A whole clause, after "that": with "if it rains," and the like before it."""
        ends = self.clause(i, Gap.NONE)
        before = self.then_word(self.subordinate(i), COMMA)
        return ends | self.then(before, self.clause, Gap.NONE)

    @memo_if(("than",))
    def comparison(self, i: int) -> int:
        """For example "than I expected", "than she does", after "better" and the like."""
        than = self.is_word(i, ("than",)) if self._compares(i) else 0
        return self.then(than, self.clause, Gap.ALLOWED) | self.then_word(than, ("i",))

    # ---------------------------------------------------------------- verb phrases

    @memo_if((), "VB", "VBP", "VBZ", "VBD", "VBG", "VBN")
    def verb_and_rest(self, i: int, form: str, gap: Gap) -> int:
        """A verb in ``form`` and its complements."""
        ends = 0
        before = self.words[i - 1] if i else ""
        if (before in _DEGREE and form != "VBN") or (before == "not" and form in _FINITE_FORMS):
            return 0  # "very threw", "not threw"
        if self.is_a(i, form):
            for lemma in sorted(self.tokens[i].verbs):
                ends |= self.rest(i + 1, lemma, gap)
            # "picked and ate the apples": joined verbs share their object
            joint = self.then_word(1 << (i + 1), ("and", "or"))
            ends |= self.then(joint, self.verb_and_rest, form, gap)
        return ends

    @memo
    def rest(self, i: int, verb: str, gap: Gap) -> int:
        """The complements and adverbials of ``verb``.

        Objects come first, after particles at most ("put on the hat"): a noun phrase further
        right is what word salad has.
        """
        without = self.adverbs(i)
        filled = 0
        passive = gap is Gap.PASSIVE and verb not in lists.DITRANSITIVE
        equating = self.events and verb in lists.EQUATING
        if not (verb in lists.INTRANSITIVE or passive or equating):
            filled = self.then(without, self.object)
        if verb in lists.DITRANSITIVE:
            filled |= self.then(filled, self.object)
        if verb in lists.PERCEPTION:
            filled |= self.then(filled, self.base)
        stranded = 0
        if gap is Gap.REQUIRED:
            stranded = self.then_word(self.maybe(without | filled, self.prepositional), _STRANDED)
            stranded = self.maybe(stranded, self.adverbial, verb, True)
        if gap is Gap.REQUIRED and verb in lists.INTRANSITIVE:
            return stranded
        if verb == "play":
            filled |= self.then_word(without, _PLAYED)
        wants_object = verb in lists.TRANSITIVE and verb not in lists.TRANSITIVE_NOT_STRICT
        wants_object &= self.words[i] not in _WITHOUT_OBJECT.get(verb, ())
        result = stranded
        for has_object in (False, True):
            if has_object and gap is Gap.REQUIRED:
                break
            ends = fresh = filled if has_object else without
            while fresh:
                found = self.then(fresh, self.adverbial, verb, has_object)
                fresh = found & ~ends
                ends |= found
            if has_object or gap is not Gap.NONE or not wants_object:
                result |= ends
            if not has_object:
                filled |= self.then(ends, self.clause_object, verb, passive)
        return result

    @memo
    def clause_object(self, i: int, verb: str, passive: bool = False) -> int:
        """A clause as object: "says it is hot", "knows what to do", "likes to sing".

        After a passive none with "which": "is wet which chased the ball".
        """
        ends = self.clause(i, Gap.NONE) if verb in lists.CLAUSE_VERBS else 0
        ends |= self.infinitive(i) | self.gerund(i)
        if verb in lists.INTRANSITIVE or (passive and self.words[i] in ("which", "who")):
            return ends
        return ends | self.question_clause(i)

    @memo
    def adverbial(self, i: int, verb: str, has_object: bool) -> int:
        """One more phrase after a verb and its objects."""
        if i >= self.size:
            return 0
        ends = self.adverbs(i) & ~(1 << i)
        ends |= self.prepositional(i) | self.time_phrase(i) | self.infinitive(i)
        ends |= self.is_word(i, ("enough",))
        ends |= self.subordinate(i) | self.gerund(i) | self.idiom(i) | self.comparison(i)
        if verb in lists.COPULAR:
            ends |= self.adjective_phrase(i)
        compared = self.then_a(self.is_word(i, ("as",)), "ADJ", "ADV")
        ends |= self.then(compared, self.subordinate) | self.then(compared, self.prepositional)
        if has_object:
            ends |= self.passive(i) | self.clause_object(i, verb)
        comma = self.is_word(i, COMMA)
        if not comma:
            return ends
        for rule in (self.subordinate, self.participial, self.prepositional, self.relative,
                     self.infinitive, self.absolute):  # fmt: skip
            ends |= self.then(comma, rule)
        return ends | self.then(comma, self.adverbs) & ~comma

    @memo
    def be_rest(self, i: int, main: bool = False, gap: Gap = Gap.NONE) -> int:
        """What follows a form of "be"; in a main clause of an event no noun phrase does."""
        start = self.adverbs(i)
        if main:
            start &= ~self.happening
        if gap is Gap.REQUIRED:  # "the man she was watching", "the room she was in"
            inside = self.then_word(start, _STRANDED)
            return inside | self.then(start, self.verb_and_rest, "VBG", gap)
        ends = self.then(start, self.gerund) | self.then(start, self.passive)
        described = self.then(start, self.adjective_phrase) | (start & ~(1 << i))
        described |= self.then(start, self.prepositional) | self.then(start, self.infinitive)
        if not (main and self.events):
            described |= self.then(start, self.object) | self.then(start, self.question_clause)
        being = self.then_word(start, ("being",))
        ends |= self.then(being, self.passive)
        return ends | self.then(described, self.rest, lists.ONLY_ADVERBIALS, Gap.NONE)

    @memo_if(("been",), "ADV", "VBN")
    def perfect(self, i: int, main: bool = False, gap: Gap = Gap.NONE) -> int:
        """What follows the auxiliary "have"."""
        start = self.adverbs(i)
        if main:
            start &= ~self.happening
        been = self.then_word(start, ("been",))
        return self.then(start, self.verb_and_rest, "VBN", gap) | self.then(
            been, self.be_rest, main, gap
        )

    @memo
    def verb_group(self, i: int, agreement: str, gap: Gap, main: bool = False) -> int:
        """One finite verb with its complements; ``agreement``: s (he), p (they), i (I)."""
        ends = 0
        starts = self.adverbs(i)
        if main:
            starts &= ~self.happening
        for start in bits(starts):
            if start >= self.size:
                continue
            word = self.tokens[start].word
            after = 1 << (start + 1)
            negated = self.maybe_word(after, lists.NEGATION)
            if word in lists.MODALS:
                self.far = max(self.far, start + 1)
                ends |= self.then(negated, self.base, main, gap)
                if not main:  # "as high as he could"
                    ends |= negated
            if agreement in lists.BE.get(word, ""):
                ends |= self.then(negated, self.be_rest, main, gap)
            if agreement in lists.HAVE.get(word, ""):
                ends |= self.then(negated, self.perfect, main, gap)
                ends |= self.then(negated, self.infinitive)
            if agreement in lists.DO.get(word, ""):
                ends |= self.then(negated, self.base, main, gap)
            for form in ("VBD", "VBZ" if agreement == "s" else "VBP"):
                ends |= self.verb_and_rest(start, form, gap)
        return ends

    @memo
    def verb_phrase(self, i: int, agreement: str, gap: Gap, main: bool = False) -> int:
        """One finite verb group, or up to three joined."""
        one = ends = self.verb_group(i, agreement, gap, main)
        for _ in range(2):
            if not one:
                break
            joint = self.then_word(self.maybe_word(one, COMMA), ("and", "but", "or"))
            joint = self.maybe_word(joint, ("then",))
            ends |= self.then(self.then(joint, self.adverbs), self.verb_group, agreement, gap, main)
            one = self.then(self.then_word(one, COMMA), self.verb_group, agreement, gap, main)
        return ends

    @memo_if(BEGINS_PHRASE.union(("i", "there", "here")), *PHRASE_READINGS)
    def clause(self, i: int, gap: Gap, main: bool = False) -> int:
        """A subject and a finite verb phrase."""
        one, many = self.noun_phrase(i) if self.words[i] not in _NO_SUBJECT else (0, 0)
        also_i = self.then_word(self.is_word(i, ("i",)), ("and",))
        many |= self.then(also_i, self.object)
        ends = self.then(self.then(one, self.adverbs), self.verb_phrase, "s", gap, main)
        ends |= self.then(self.then(many, self.adverbs), self.verb_phrase, "p", gap, main)
        ends |= self.then(self.is_word(i, ("i",)), self.verb_phrase, "i", gap, main)
        there = self.then(self.is_word(i, ("there", "here")), self.adverbs)
        there = self.maybe_word(there, lists.MODALS)
        there = self.maybe_word(there, ("has", "have", "had"))
        exists = 0
        for forms, either in ((("is", "was", "'s"), False), (("are", "were", "be", "been"), True)):
            for start in bits(self.then(self.then_word(there, forms), self.adverbs)):
                one, many = self.noun_phrase(start)
                # "there is a cat and a dog" is fine, "there are cat" is not
                exists |= many if either else one | many
        return ends | self.then(exists, self.rest, lists.ONLY_ADVERBIALS, Gap.NONE)

    # ---------------------------------------------------------------- sentences

    @memo
    def front(self, i: int) -> int:
        """What can stand before the subject, with or without a comma."""
        particle = i < self.size and self.tokens[i].word in lists.PREPOSITIONS
        ends = 0 if particle else self.adverbs(i) & ~(1 << i)
        ends |= self.prepositional(i) | self.time_phrase(i) | self.subordinate(i)
        with_comma = ends | self.participial(i) | self.infinitive(i) | self.adjective_phrase(i)
        return ends | self.then_word(with_comma, COMMA)

    @memo
    def sentence(self, i: int) -> int:
        """Fronted adverbials, a clause, and possibly a second one; or a question."""
        start = step = 1 << i | self.then_word(self.is_word(i, _EXCLAIMED), COMMA)
        for _ in range(3):
            step = self.then(step, self.front)
            start |= step
        first = self.then(start, self.clause, Gap.NONE, True)
        first |= self.then(start, self.inverted)
        if not self.events:
            clear = sum(1 << end for end in bits(start) if end == i or self.words[end - 1] == ",")
            first |= self.then(clear, self.request) | self.then(clear, self.exclamation)
        joint = self.then_word(self.maybe_word(first, COMMA), lists.CONJUNCTIONS)
        joint = self.then(joint, self.maybe_front)
        second = self.then(joint, self.clause, Gap.NONE, True)
        if not self.events:
            second |= self.then(joint, self.request)
        and_so = self.maybe_word(self.maybe_word(first, COMMA), lists.CONJUNCTIONS)
        return first | second | self.then(and_so, self.echo) | self.question(i)

    @memo_if(("be", "do", "have", "never", "please"), "ADV", "VB")
    def request(self, i: int) -> int:
        """For example "Throw the ball to the dog.", "Do not buy this lamp!"."""
        begins = {"please", "do", "be", "have", "never", "always", "just"}
        if self.size < 2 or not (self.words[i] in begins or self.is_a(i, "VB")):
            return 0
        start = self.maybe_word(1 << i, ("please",))
        negated = self.then_word(self.then_word(start, ("do",)), ("not", "n't"))
        return self.then(start | negated, self.base, False, Gap.NONE)

    @memo_if(("what",))
    def exclamation(self, i: int) -> int:
        """For example "What a beautiful lamp!", "What a day it was!"."""
        start = self.then_word(self.is_word(i, ("what",)), ("a", "an"))
        noun = self.then_a(self.then(self.then(start, self.modifiers), self.before_noun), "Ns")
        noun = self.attach(noun)
        being = self.then_word(self.then_word(noun, ("it", "this", "that")), ("is", "was"))
        return noun | being | self.then(noun, self.clause, Gap.REQUIRED)

    @memo_if(("so", "nor", "neither"))
    def echo(self, i: int) -> int:
        """For example "so do I", "neither could the cat", after a clause."""
        start = self.is_word(i, ("so", "nor", "neither"))
        ends = 0
        for verb in bits(self.then_word(start, _HELPERS)):
            word = self.words[verb - 1]
            forms = (table.get(word, "") for table in (lists.BE, lists.HAVE, _BEFORE_BASE))
            for agreement in forms:
                ends |= self.asked_subject(verb, agreement) if agreement else 0
        return ends

    def maybe_front(self, i: int) -> int:
        """Zero or one fronted adverbial."""
        return 1 << i | self.front(i)

    @memo
    def inverted(self, i: int) -> int:
        """For example "on the table stood a lamp": after a fronted phrase, with verbs of place."""
        if i == 0 or i >= self.size or self.tokens[i].verbs.isdisjoint(lists.PLACE_VERBS):
            return 0
        ends = self.then(self.is_a(i, "VBD", "VBZ", "VBP") | self.is_word(i, lists.BE), self.object)
        return self.then(ends, self.rest, lists.ONLY_ADVERBIALS, Gap.NONE)

    @memo
    def question(self, i: int) -> int:
        """For example "Did the dog eat?", "Where is my hat?", "Who took it?"."""
        if not self.asks:
            return 0
        one = self.is_word(i, lists.QUESTION_WORDS)
        how = self.is_word(i, ("how",))
        count = self.then_word(how, ("many",))
        amount = self.then_word(how, ("much",))
        which = self.is_word(i, ("what", "which", "whose"))
        many = self.then_a(self.then(count, self.modifiers) | which, "Np")
        asked = one | many | count | amount | self.then_a(one, "ADJ", "ADV", "Ns", "Nm")
        asked |= self.then_a(self.then(amount, self.modifiers), "Nm")
        ends = self.then(one, self.verb_phrase, "s", Gap.NONE)
        ends |= self.then(many, self.verb_phrase, "p", Gap.NONE)
        for start in bits(1 << i | asked):
            if start < self.size:
                ends |= self.after_asking(start, start > i)
        return ends

    @memo
    def after_asking(self, i: int, asked: bool) -> int:
        """A verb before its subject, and the rest; ``asked``: after "where" and such."""
        word = self.tokens[i].word
        verb = self.maybe_word(1 << (i + 1), ("n't", "not"))
        ends = 0
        for helpers, rule in ((_BEFORE_BASE, self.base), (lists.BE, self.be_rest),
                              (lists.HAVE, self.perfect)):  # fmt: skip
            agreement = helpers.get(word, "")
            if not agreement:
                continue
            self.far = max(self.far, i + 1)
            subject = self.then(verb, self.asked_subject, agreement)
            ends |= self.then(subject, rule)
            if asked:  # "what are you looking at"
                ends |= self.then(subject, rule, False, Gap.REQUIRED)
            if helpers is lists.BE:
                there = self.then_word(verb, ("there",))
                whole = self.then(there, self.asked_subject, agreement)
                whole |= subject | there if asked else 0  # "who is she", "how many are there"
                ends |= self.then(whole, self.rest, lists.ONLY_ADVERBIALS, Gap.NONE)
        return ends

    @memo
    def asked_subject(self, i: int, agreement: str) -> int:
        """A subject behind its verb: "she", never "her"."""
        if self.is_word(i, _NO_SUBJECT):
            return 0
        one, many = self.noun_phrase(i)
        if self.is_word(i, ("her",)):  # with its noun: "her dog"
            one, many = (self.attach(ends) for ends in self.determined(i))
        ends = (one if "s" in agreement else 0) | (many if "p" in agreement else 0)
        return ends | (self.is_word(i, ("i",)) if "i" in agreement else 0)

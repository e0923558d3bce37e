"""What a conjunction of constraints says about the numbers of a text; see `conflicts`."""

from __future__ import annotations

from dataclasses import dataclass, field

from corgi_gym.rewards.constraints.evaluate import exact
from corgi_gym.rewards.constraints.language import TRANSFORMS, Leaf, Part
from corgi_gym.rewards.constraints.segments import LEVELS

# Rounds of carrying bounds on. Chains of facts are short; stopping early only finds less.
_MAX_ROUNDS = 12
# Widest range whose values are tried one by one against lists and exclusions.
_MAX_VALUES = 64
# No bound beyond this is carried on: no reply that is checked is longer.
_LARGEST = 10**6

Sources = frozenset[str]
_Key = tuple[Part | None, str, str, str | None]  # part, transform, level, of


@dataclass(slots=True)
class _Quantity:
    """What is known of one number, and from which constraints."""

    low: int = 0
    high: int = _LARGEST
    low_from: Sources = frozenset()
    high_from: Sources = frozenset()
    choices: list[tuple[frozenset[int], Sources]] = field(default_factory=list)
    banned: list[tuple[int, Sources]] = field(default_factory=list)

    def at_least(self, value: int, sources: Sources) -> bool:
        if value > self.low:
            self.low, self.low_from = min(value, _LARGEST), sources
            return True
        return False

    def at_most(self, value: int, sources: Sources) -> bool:
        if value < self.high:
            self.high, self.high_from = value, sources
            return True
        return False

    def conflict(self) -> Sources | None:
        """The constraints that leave no value, if there is none."""
        if self.low > self.high:
            return self.low_from | self.high_from
        used = self.low_from | self.high_from
        if self.choices:
            values = frozenset.intersection(*(choices for choices, _ in self.choices))
            used = used.union(*(sources for _, sources in self.choices))
        elif self.high - self.low <= _MAX_VALUES:
            values = frozenset(range(self.low, self.high + 1))
        else:
            return None
        values = frozenset(v for v in values if self.low <= v <= self.high)
        banned = {value: sources for value, sources in self.banned if value in values}
        return used.union(*banned.values()) if values <= banned.keys() else None


class Facts:
    """What one conjunction of leaves says about the numbers of a text."""

    def __init__(self, leaves: list[Leaf]) -> None:
        self.leaves = leaves
        self.known: dict[_Key, _Quantity] = {}
        self.places: dict[tuple[Part | None, int], list[tuple[str, Sources]]] = {}
        for level in LEVELS[1:]:
            self.quantity(None, "count", level).at_least(1, frozenset())
        for leaf in leaves:
            self._read(leaf)

    def quantity(
        self, part: Part | None, transform: str, level: str, of: str | None = None
    ) -> _Quantity:
        return self.known.setdefault((part, transform, level, of), _Quantity())

    def conflict(self) -> Sources | None:
        for _ in range(_MAX_ROUNDS):
            clash = self._clash()
            if clash is not None:
                return clash
            if not self._carry():
                return None
        return self._clash()

    def _clash(self) -> Sources | None:
        for quantity in self.known.values():
            conflict = quantity.conflict()
            if conflict is not None:
                return conflict
        return self._clash_of_fractions() or self._clash_of_words()

    # -------------------------------------------------------------- reading

    def _read(self, leaf: Leaf) -> None:
        source = frozenset((leaf.path,))
        for part, level, at in (
            (None, leaf.part.level, leaf.part.at) if leaf.part else (None, "", None),
            (leaf.part, leaf.level, leaf.at),
        ):
            if isinstance(at, int):
                self.quantity(part, "count", level).at_least(abs(at), source)
        if leaf.part is not None and leaf.part.at == "any":
            return
        if leaf.at == "any":
            if leaf.level == "word" and (leaf.transform, leaf.relation) == ("text", "=="):
                occurs = self.quantity(leaf.part, "count", "word", str(leaf.value))
                occurs.at_least(1, source)
            return
        gives = TRANSFORMS[leaf.transform].gives
        if gives == "string":
            self._read_words(leaf, source)
        elif gives == "integer" and (leaf.at is None or leaf.at == "each"):
            transform, level = leaf.transform, leaf.level
            if (transform, level) == ("length", "text"):
                transform, level = "count", "character"
            quantity = self.quantity(leaf.part, transform, level, leaf.of)
            if transform in ("length", "sum", "distinct"):
                quantity.at_least(1, frozenset())
            self._bound(quantity, leaf, source)

    def _bound(self, quantity: _Quantity, leaf: Leaf, source: Sources) -> None:
        relation = leaf.relation
        if isinstance(leaf.value, tuple):
            values = frozenset(int(v) for v in leaf.value)
            if relation == "in":
                quantity.choices.append((values, source))
                quantity.at_least(min(values), source)
                quantity.at_most(max(values), source)
            else:
                quantity.banned.extend((v, source) for v in sorted(values))
            return
        value = int(leaf.value)
        if relation == "!=":
            quantity.banned.append((value, source))
        if relation in ("==", ">=", ">"):
            quantity.at_least(value + (relation == ">"), source)
        if relation in ("==", "<=", "<"):
            quantity.at_most(value - (relation == "<"), source)

    def _read_words(self, leaf: Leaf, source: Sources) -> None:
        """What a comparison with words says about which words are there, and where."""
        if isinstance(leaf.value, tuple) and leaf.relation == "in":
            return
        values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
        negative = leaf.relation in ("!=", "not in")
        if leaf.level == "word":
            if leaf.transform == "text" and not negative and isinstance(leaf.at, int):
                self._place(leaf.part, leaf.at, str(leaf.value), source)
            return
        inside: Part | None = None
        if leaf.level != "text":
            if leaf.part is not None or leaf.at is None:
                return
            inside = Part(leaf.level, leaf.at)
        for value in values:
            found = tuple(str(value).split())
            if negative:
                if leaf.transform == "contains" and len(found) == 1:
                    self.quantity(inside, "count", "word", found[0]).at_most(0, source)
                continue
            if leaf.transform != "ends":
                positions = range(1, len(found) + 1)
            else:
                positions = range(-len(found), 0)
            for at, word in zip(positions, found, strict=True):
                if leaf.transform == "contains":
                    self.quantity(inside, "count", "word", word).at_least(found.count(word), source)
                else:
                    self._place(inside, at, word, source)
            count = self.quantity(inside, "count", "word")
            count.at_least(len(found), source)
            if leaf.transform == "text":
                count.at_most(len(found), source)

    def _place(self, part: Part | None, at: int, word: str, source: Sources) -> None:
        self.places.setdefault((part, at), []).append((word, source))
        self.quantity(part, "count", "word").at_least(abs(at), source)

    # -------------------------------------------------------------- carrying bounds on

    def _carry(self) -> bool:
        changed = False
        for part in dict.fromkeys(key[0] for key in self.known):
            for fine, coarse in _NESTED:
                if part is None or (coarse not in _levels_from(part.level)):
                    changed |= self._order(
                        self.quantity(part, "count", fine), self.quantity(part, "count", coarse)
                    )
            changed |= self._characters(part)
            if isinstance(part, Part):
                changed |= self._total(part) if part.at == "each" else self._share(part)
        for (part, transform, level, of), quantity in list(self.known.items()):
            whole = self.quantity(part, "count", level)
            if transform == "distinct" or (transform == "count" and of is not None):
                changed |= self._order(whole, quantity)
        changed |= self._words()
        return changed

    def _order(self, large: _Quantity, small: _Quantity) -> bool:
        """``large >= small``."""
        raised = large.at_least(small.low, small.low_from)
        return small.at_most(large.high, large.high_from) or raised

    def _characters(self, part: Part | None) -> bool:
        """Words take at least one character each, and a space between them."""
        if part is not None and part.level == "word":
            return False
        word, character = (self.quantity(part, "count", level) for level in ("word", "character"))
        raised = character.at_least(2 * word.low - 1, word.low_from)
        if character.high == _LARGEST:
            return raised
        return word.at_most((character.high + 1) // 2, character.high_from) or raised

    def _total(self, part: Part) -> bool:
        """The units of all parts add up to those of the text."""
        changed = False
        parts = self.quantity(None, "count", part.level)
        for (where, transform, level, of), each in list(self.known.items()):
            if where != part or transform != "count" or not _adds_up(part.level, level, of):
                continue
            total = self.quantity(None, "count", level, of)
            changed |= total.at_least(parts.low * each.low, parts.low_from | each.low_from)
            if each.high < _LARGEST and parts.high < _LARGEST:
                changed |= total.at_most(parts.high * each.high, parts.high_from | each.high_from)
            if 0 < each.high < _LARGEST:
                least = -(-total.low // each.high)
                changed |= parts.at_least(least, total.low_from | each.high_from)
            if each.low and total.high < _LARGEST:
                most = total.high // each.low
                changed |= parts.at_most(most, total.high_from | each.low_from)
        return changed

    def _share(self, part: Part) -> bool:
        """A part has at most what the text has, and what each such part must have."""
        changed = False
        for where, transform, level, of in list(self.known):
            if where == Part(part.level, "each"):
                each = self.quantity(where, transform, level, of)
                here = self.quantity(part, transform, level, of)
                changed |= here.at_least(each.low, each.low_from)
                changed |= here.at_most(each.high, each.high_from)
        for where, transform, level, of in list(self.known):
            if where == part and transform == "count" and _adds_up(part.level, level, of):
                inside = self.quantity(part, "count", level, of)
                changed |= self._order(self.quantity(None, "count", level, of), inside)
        return changed

    def _words(self) -> bool:
        """Different words that must occur need room, and bring their letters."""
        changed = False
        for (part, _), required in self.places.items():
            for word, sources in required:
                changed |= self.quantity(part, "count", "word", word).at_least(1, sources)
        for part in dict.fromkeys(key[0] for key in self.known):
            counts = [
                (key[3], quantity)
                for key, quantity in self.known.items()
                if key[:3] == (part, "count", "word") and key[3] is not None and quantity.low
            ]
            if not counts:
                continue
            sources = frozenset().union(*(quantity.low_from for _, quantity in counts))
            room = sum(quantity.low for _, quantity in counts)
            changed |= self.quantity(part, "count", "word").at_least(room, sources)
            distinct = self.quantity(part, "distinct", "word")
            changed |= distinct.at_least(len(counts), sources)
            for key, letters in list(self.known.items()):
                if key[:3] == (part, "count", "character") and key[3] and key[3].isalnum():
                    hits = [(q.low * str(w).count(key[3]), q) for w, q in counts]
                    from_words = frozenset().union(*(q.low_from for n, q in hits if n))
                    changed |= letters.at_least(sum(n for n, _ in hits), from_words)
        return changed

    # -------------------------------------------------------------- other clashes

    def _clash_of_words(self) -> Sources | None:
        """Two words at one place; a place counted from both ends is one where all is counted."""
        for (part, at), required in self.places.items():
            others = required[1:]
            count = self.quantity(part, "count", "word")
            if count.low == count.high and at > 0:
                behind = self.places.get((part, at - 1 - count.low), [])
                counted = count.low_from | count.high_from
                others = [*others, *((word, sources | counted) for word, sources in behind)]
            word, sources = required[0]
            for other, other_sources in others:
                if other != word:
                    return sources | other_sources
        return None

    def _clash_of_fractions(self) -> Sources | None:
        """Two bounds on one share that exclude each other."""
        fractions = [
            leaf
            for leaf in self.leaves
            if TRANSFORMS[leaf.transform].gives == "fraction"
            and not isinstance(leaf.value, tuple)
            and leaf.relation != "!="
            and (leaf.part is None or leaf.part.at != "any")
        ]
        for i, one in enumerate(fractions):
            low, high = exact(0), exact(1)
            for other in (one, *fractions[i:]):
                same = (other.part, other.transform, other.level, other.of)
                if same != (one.part, one.transform, one.level, one.of):
                    continue
                value = exact(str(other.value))
                lower = other.relation in ("==", ">=", ">")
                upper = other.relation in ("==", "<=", "<")
                new_low = max(low, value) if lower else low
                new_high = min(high, value) if upper else high
                strict = {one.relation, other.relation} & {"<", ">"}
                if new_low > new_high or (new_low == new_high and strict):
                    return frozenset((one.path, other.path))
                if other is one:
                    low, high = new_low, new_high
        return None


# Of the first there are at least as many as of the second, in any text.
_NESTED = (
    ("word", "sentence"),
    ("word", "line"),
    ("sentence", "paragraph"),
    ("line", "paragraph"),
)


def _levels_from(level: str) -> tuple[str, ...]:
    """The levels that are not inside a part of this level."""
    return LEVELS[: LEVELS.index(level) + 1]


def _adds_up(outer: str, inner: str, of: str | None) -> bool:
    """Whether each inner unit stands in exactly one outer one."""
    if inner == "character":
        return of is not None and of.isalnum()
    return (outer, inner) != ("line", "sentence") and LEVELS.index(outer) < LEVELS.index(inner)

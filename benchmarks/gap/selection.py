"""Rules: which samples a verifier's values keep, by a threshold, by a quantile, or by several.

mc>=0.8                 samples whose value is at least 0.8
cot_s top 0.25          the best quarter of each prompt's samples, with all that tie with them
mc>=0.5 and cot_b>=1    those that both keep (Mind the Gap, arXiv 2412.02674: combined filters)
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Values = Sequence[float | None]

# Behind an "@" is the folder of the model that verifies, which may have spaces.
_FILTER = re.compile(r"([^\s@]+?(?:@\S.*?)?)\s*(>=|\btop\b)\s*(\d*\.?\d+)")
_AND = re.compile(r"(?<=\d)\s+and\s+")
# Shares are decimal fractions: 0.28 of 25 are 7, whatever their product in binary is.
_ROUNDING = 1e-9
_EXAMPLES = "'mc>=0.8', 'cot_s top 0.25' or 'mc>=0.5 and cot_b>=1'"


@dataclass(frozen=True, slots=True)
class Filter:
    """One verifier's threshold.

    Attributes:
        verifier: Its name.
        kind: ``">="`` for an absolute threshold, ``"top"`` for a share of the prompt's samples.
        value: The threshold in [0, 1], or the share in (0, 1].
    """

    verifier: str
    kind: Literal[">=", "top"]
    value: float

    def keeps(self, values: Values) -> list[bool | None]:
        """Whether each of a prompt's samples is kept; None where there is no value."""
        least = self.value if self.kind == ">=" else _quantile(values, self.value)
        return [None if v is None else v >= least for v in values]


def _quantile(values: Values, share: float) -> float:
    """The smallest value among the best ``share`` of those there are, at least one of them."""
    known = sorted((v for v in values if v is not None), reverse=True)
    count = math.ceil(share * len(known) - _ROUNDING)
    return known[max(1, count) - 1] if known else math.inf


@dataclass(frozen=True, slots=True)
class Rule:
    """Filters that must all keep a sample; see `parse_rule`.

    Attributes:
        name: As it was written.
        filters: At least one.
    """

    name: str
    filters: tuple[Filter, ...]

    @property
    def verifiers(self) -> list[str]:
        """Names of the verifiers that it asks."""
        return list(dict.fromkeys(f.verifier for f in self.filters))

    def keeps(self, values: Mapping[str, Values]) -> list[bool | None]:
        """Whether each of a prompt's samples is kept.

        One filter that does not keep it is enough. Where none rejects it and one has no verdict,
        there is none: a missing verdict is not a bad one.

        Example:
            >>> rule = parse_rule("mc>=0.5 and cot_b>=1")
            >>> rule.keeps({"mc": [0.9, 0.9, 0.1], "cot_b": [1.0, None, None]})
            [True, None, False]
        """
        votes = zip(*(f.keeps(values[f.verifier]) for f in self.filters), strict=True)
        return [False if False in vote else None if None in vote else True for vote in votes]


def parse_rule(text: str) -> Rule:
    """Read a rule.

    Raises:
        ValueError: For anything else than filters joined by "and", with an example of each.

    Example:
        >>> parse_rule("cot_s top 0.25").filters
        (Filter(verifier='cot_s', kind='top', value=0.25),)
    """
    filters = []
    for part in _AND.split(text.strip()):
        match = _FILTER.fullmatch(part)
        if match is None:
            raise ValueError(f"{text!r} is no rule; write it like {_EXAMPLES}")
        verifier, kind, value = match[1], match[2], float(match[3])
        if value > 1.0 or (kind == "top" and value == 0.0):
            raise ValueError(f"rule {text!r}: {match[3]} must be in [0, 1] (a share above 0)")
        filters.append(Filter(verifier, ">=" if kind == ">=" else "top", value))
    return Rule(" and ".join(_name(f) for f in filters), tuple(filters))


def _name(filter_: Filter) -> str:
    sign = ">=" if filter_.kind == ">=" else " top "
    return f"{filter_.verifier}{sign}{filter_.value:g}"

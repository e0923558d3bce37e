"""All kinds of instructions by name: the one table."""

from __future__ import annotations

from corgi_gym.rewards.instructions import (
    case,
    edges,
    formats,
    keywords,
    length,
    own_counts,
    own_formats,
    own_places,
)
from corgi_gym.rewards.instructions.kind import Kind

# The 25 kinds of IFEval (arXiv 2311.07911), then ours.
KINDS: dict[str, Kind] = {
    kind.name: kind
    for module in (keywords, length, case, formats, edges, own_counts, own_places, own_formats)
    for kind in module.KINDS
}


def kind_names(*, published: bool | None = None) -> list[str]:
    """Names of the kinds; ``published`` selects IFEval's (True) or ours (False).

    Example:
        >>> len(kind_names(published=True)), len(kind_names(published=False))
        (25, 25)
    """
    return [
        name
        for name, kind in KINDS.items()
        if published is None or published == (kind.reference is not None)
    ]

"""Which functions a change of a module's source changes, as code objects."""

from __future__ import annotations

import inspect
from types import CodeType

# Qualified name and first line.
Place = tuple[str, int]


def changed_functions(before: CodeType, after: CodeType) -> dict[Place, CodeType] | None:
    """The new code of each function that differs between two versions of a module.

    Returns:
        None if the difference is run on import (module level, class bodies, comprehensions there),
        or if two functions cannot be told apart: such a module must be imported anew.

    Example:
        >>> def code(source): return compile(source, "x", "exec")
        >>> one, two = code("def f(): return 1"), code("def f(): return 2")
        >>> changed_functions(one, two)  # doctest: +ELLIPSIS
        {('f', 1): <code object f ...>}
        >>> changed_functions(code("a = 1"), code("a = 2")) is None
        True
    """
    found: dict[Place, CodeType] = {}
    return found if _collect(before, after, found) else None


def _collect(before: CodeType, after: CodeType, found: dict[Place, CodeType]) -> bool:
    if not after.co_flags & inspect.CO_OPTIMIZED:  # a module or the body of a class
        if _own(before) != _own(after):
            return False
    elif before != after:
        place = (after.co_qualname, after.co_firstlineno)
        if place in found:
            return False
        found[place] = after
    pairs = list(zip(_inner(before), _inner(after), strict=False))
    for one, two in pairs:
        run_on_import = not after.co_flags & inspect.CO_OPTIMIZED and two.co_name.endswith(
            ("comp>", "genexpr>")
        )
        if run_on_import and one != two:
            return False
        if not run_on_import and not _collect(one, two, found):
            return False
    return True


def _inner(code: CodeType) -> list[CodeType]:
    return [value for value in code.co_consts if isinstance(value, CodeType)]


def _own(code: CodeType) -> tuple[object, ...]:
    """What a module or class body does by itself: the code of its functions aside."""
    constants = [repr(c) for c in code.co_consts if not isinstance(c, CodeType)]
    return code.co_code, code.co_names, code.co_exceptiontable, len(_inner(code)), constants

"""Mutants of a Python module: small changes, each of which a good test suite should notice.

The operators are the classic ones (DeMillo, Lipton and Sayward 1978, "Hints on test data
selection"; Offutt et al. 1996, "An experimental determination of sufficient mutant operators"):
comparisons, arithmetic, Boolean logic, constants, return values, removed statements. Texts,
annotations, type aliases, declared examples and docstrings stay: another wording is no fault.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div, ast.Mod: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
Change = Callable[[ast.AST], ast.AST | None]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change.

    Attributes:
        id: ``line:column operator``, stable as long as the file is, and unique.
        line: Where.
        before: The changed piece of source.
        after: What it became.
        function: First and last line of the function around it, or None at module level.
    """

    id: str
    line: int
    before: str
    after: str
    function: tuple[int, int] | None
    _source: str
    _mark: int
    _change: Change

    def tree(self) -> ast.Module:
        """The whole module with the change (made anew: hundreds of trees would not fit)."""
        tree = ast.parse(self._source)
        _mark_parents(tree)
        node = next(n for n in ast.walk(tree) if getattr(n, "mark", None) == self._mark)
        after = self._change(node)
        if after is not None:
            _replace(node, after)
        return ast.fix_missing_locations(tree)


def mutants(source: str) -> Iterator[Mutant]:
    """All mutants of a module's source, from top to bottom.

    Example:
        >>> [m.after for m in mutants("x = y > 1")]
        ['pass', 'y >= 1', '2', '0']
    """
    tree = ast.parse(source)
    _mark_parents(tree)
    unused = _names_that_no_code_uses(tree)
    places = [node for node in ast.walk(tree) if _is_code(node, unused)]
    places.sort(key=lambda node: (node.lineno, node.col_offset))
    found = [(node, name, change) for node in places for name, change in _changes(node)]
    ids = Counter(_id(node, name) for node, name, _ in found)
    for node, name, change in found:
        twin = copy.deepcopy(node, {id(node.parent): None})
        after = change(twin)
        shown = ast.unparse(twin if after is None else after)
        before = ast.unparse(node)
        if shown == before:
            continue
        name = _id(node, name, ids[_id(node, name)] > 1)
        around = _function(node)
        yield Mutant(name, node.lineno, before, shown, around, source, node.mark, change)


def _id(node: ast.AST, name: str, with_end: bool = False) -> str:
    """A name for a change; ``with_end``: another one begins there as well ("a | b | c")."""
    end = f"-{node.end_lineno}:{node.end_col_offset}" if with_end else ""
    return f"{node.lineno}:{node.col_offset}{end} {name}"


def _function(node: ast.AST) -> tuple[int, int] | None:
    """The lines of the innermost named function around a node, decorators included."""
    while (node := getattr(node, "parent", None)) is not None:
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            return first, node.end_lineno or node.lineno
    return None


def _mark_parents(tree: ast.Module) -> None:
    for mark, node in enumerate(ast.walk(tree)):
        node.mark = mark
        for child in ast.iter_child_nodes(node):
            if child._fields or child._attributes:  # else one object for all, such as ast.Load()
                child.parent = node


def _names_that_no_code_uses(tree: ast.Module) -> set[str]:
    """Names that only decorators and annotations use: data of declared examples, type aliases."""
    aside = [d for node in ast.walk(tree) for d in getattr(node, "decorator_list", ())]
    for node in ast.walk(tree):
        notes = (getattr(node, "annotation", None), getattr(node, "returns", None))
        aside += [note for note in notes if note is not None]
    names = [n for tree in aside for n in ast.walk(tree) if isinstance(n, ast.Name)]
    inside = {n.mark for n in names}
    elsewhere = {
        n.id
        for n in ast.walk(tree)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and n.mark not in inside
    }
    return {n.id for n in names} - elsewhere


def _is_code(node: ast.AST, unused: set[str]) -> bool:
    """Whether a node is run, and is neither annotation, declared example nor docstring."""
    if not hasattr(node, "lineno"):
        return False
    child = node
    while (parent := getattr(child, "parent", None)) is not None:
        annotated = getattr(parent, "annotation", None) is child
        returned = getattr(parent, "returns", None) is child
        if annotated or returned or child in getattr(parent, "decorator_list", ()):
            return False
        if isinstance(parent, ast.ClassDef) and child in parent.bases:
            return False
        if isinstance(child, ast.Assign | ast.AnnAssign) and _names(child) & unused:
            return False
        if isinstance(parent, ast.Raise | ast.JoinedStr | ast.FormattedValue):
            return False
        child = parent
    return True


def _names(node: ast.Assign | ast.AnnAssign) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    if isinstance(node, ast.Compare):
        for i, found in enumerate(node.ops):
            yield f"compare{i}", _swap_in("ops", i, _COMPARE[type(found)])
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        yield "arithmetic", _set("op", _ARITHMETIC[type(node.op)]())
    elif isinstance(node, ast.AugAssign) and type(node.op) in _ARITHMETIC:
        yield "arithmetic", _set("op", _ARITHMETIC[type(node.op)]())
        yield "remove", lambda n: ast.copy_location(ast.Pass(), n)
    elif isinstance(node, ast.BoolOp):
        yield "logic", _set("op", ast.And() if isinstance(node.op, ast.Or) else ast.Or())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield "unary", lambda n: n.operand
    elif isinstance(node, ast.Constant):
        yield from _constants(node.value)
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        yield "negate", lambda n: _negated(n)
    elif isinstance(node, ast.Return) and node.value is not None:
        known = isinstance(node.value, ast.Constant)
        if not (known and (node.value.value is None or node.value.value is False)):
            yield "return", _set("value", ast.Constant(None))
    elif isinstance(node, ast.Continue):
        yield "leave", lambda n: ast.copy_location(ast.Break(), n)
    elif isinstance(node, ast.Break):
        yield "leave", lambda n: ast.copy_location(ast.Continue(), n)
    elif isinstance(node, ast.Assign) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ):
        yield "remove", lambda n: ast.copy_location(ast.Pass(), n)


def _constants(value: object) -> Iterator[tuple[str, Change]]:
    if isinstance(value, bool):
        yield "constant", _set("value", not value)
    elif isinstance(value, int):
        yield "plus", _set("value", value + 1)
        yield "minus", _set("value", value - 1)
    elif isinstance(value, float):
        yield "plus", _set("value", value + 1.0)
        yield "half", _set("value", value / 2)


def _set(field: str, value: object) -> Change:
    def change(node: ast.AST) -> None:
        setattr(node, field, value)

    return change


def _swap_in(field: str, i: int, kind: type[ast.AST]) -> Change:
    def change(node: ast.AST) -> None:
        getattr(node, field)[i] = kind()

    return change


def _negated(node: ast.AST) -> None:
    node.test = ast.UnaryOp(ast.Not(), node.test)


def _replace(node: ast.AST, new: ast.AST) -> None:
    """Put ``new`` in the place of ``node`` (both belong to one tree, marked with parents)."""
    parent = node.parent
    for field, value in ast.iter_fields(parent):
        if value is node:
            setattr(parent, field, new)
        elif isinstance(value, list) and node in value:
            value[value.index(node)] = new

"""Test cases out of ``assert`` statements: calls for the program, a condition for us.

``assert abs(candidate(1.33) - 0.33) < 1e-6`` becomes the call ``(1.33,)`` and a condition on its
value. The program's process is given the arguments only; the condition is evaluated here, by a
small interpreter of our own on plain data, so no program can see or touch what is expected.

The grammar: literals, arithmetic, comparisons, ``and or not``, subscripts, and the functions of
`_FUNCTIONS`. Test code outside it is refused (`Unsupported`), never run.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from corgi_gym.rewards._isolate_codec import check_members

# Results are arbitrary: numbers beyond these bits and products beyond this length are refused.
_MAX_BITS = 4_096
_MAX_LENGTH = 100_000


def _hashing(kind: Callable[..., Any]) -> Callable[..., Any]:
    """A set or dict of a result, whose members a program may have chosen to have one hash."""

    def make(items: Any = ()) -> Any:
        keyed = kind is dict and not isinstance(items, Mapping)
        items = list(items) if not isinstance(items, Mapping) else items
        check_members([key for key, _ in items] if keyed else items)
        return kind(items)

    return make


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs, "all": all, "any": any, "bool": bool, "dict": _hashing(dict), "float": float,
    "frozenset": _hashing(frozenset), "int": int, "len": len, "list": list, "max": max, "min": min,
    "range": range, "reversed": lambda items: list(reversed(items)), "round": round,
    "set": _hashing(set),
    "sorted": sorted, "str": str, "sum": sum, "tuple": tuple,
    "math.fabs": math.fabs, "math.isclose": math.isclose, "math.sqrt": math.sqrt,
}  # fmt: skip
_CONSTANTS = {"math.pi": math.pi, "math.inf": math.inf, "math.e": math.e}
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_, ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip
# What a careless operand raises: the condition is then not met.
_FAILURES = (
    ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError,
    ValueError,
)  # fmt: skip


class Unsupported(ValueError):
    """A test that this module cannot read."""


@dataclass(frozen=True, slots=True)
class Case:
    """One test.

    Attributes:
        text: The test without ``assert``, for messages.
        calls: Arguments of each call of the tested function.
    """

    text: str
    calls: tuple[tuple[Any, ...], ...]
    _tree: ast.expr
    _places: Mapping[ast.expr, int]  # which call a node is

    def holds(self, values: list[Any]) -> bool:
        """Whether the condition is met when the calls gave these values (plain data).

        Example:
            >>> read_case("assert f(1) == 2", "f").holds([2.0])
            True
        """
        try:
            return bool(_Interpreter(self._places, values).value(self._tree))
        except _FAILURES:
            return False


@lru_cache(maxsize=4_096)
def read_case(text: str, name: str) -> Case:
    """Read ``assert <condition>`` with calls of the function ``name``.

    Raises:
        Unsupported: For anything else; the message says what.
    """
    try:
        (statement,) = ast.parse(text.strip()).body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise Unsupported(f"not one statement: {error}") from error
    if not isinstance(statement, ast.Assert):
        raise Unsupported(f"not an assert statement but {type(statement).__name__}")
    tree = statement.test
    try:
        found = _calls(tree, name)
        calls = tuple(tuple(_argument(node, name) for node in call.args) for call in found)
        if not calls:
            raise Unsupported(f"it never calls {name}")
        _check(tree, name)
        return Case(ast.unparse(tree), calls, tree, {call: i for i, call in enumerate(found)})
    except Unsupported:
        raise
    except _FAILURES as error:
        raise Unsupported(f"its arguments cannot be evaluated: {error}") from error


def _calls(tree: ast.expr, name: str) -> list[ast.Call]:
    """The calls of the tested function, in the order of the text."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _dotted(node.func) == name:
            if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
                raise Unsupported("a call with keywords or stars")
            if any(_dotted(n.func) == name for a in node.args for n in _inner_calls(a)):
                raise Unsupported("a call inside a call")
            found.append(node)
    return sorted(found, key=lambda call: (call.lineno, call.col_offset))


def _inner_calls(node: ast.expr) -> list[ast.Call]:
    return [n for n in ast.walk(node) if isinstance(n, ast.Call)]


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return ""


def _argument(tree: ast.expr, name: str) -> Any:
    """The value of an argument, in which there is no call of the tested function."""
    _check(tree, name)
    return _Interpreter({}, []).value(tree)


def _check(tree: ast.expr, name: str) -> None:
    """Refuse what `_Interpreter` does not know, without looking at values."""
    # names are there to be called, or in front of a constant of `math`
    in_use = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Call, ast.Attribute))
        for part in ast.walk(node.func if isinstance(node, ast.Call) else node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and id(node) not in in_use:
            raise Unsupported(f"the name {node.id}")
        if isinstance(node, ast.expr):
            _check_node(node, name)


def _check_node(node: ast.expr, name: str) -> None:
    if isinstance(node, ast.Call):
        called = _dotted(node.func)
        if called != name and called not in _FUNCTIONS:
            raise Unsupported(f"the function {called or ast.unparse(node.func)}")
    elif isinstance(node, ast.Name):
        if node.id != name and node.id not in _FUNCTIONS and node.id != "math":
            raise Unsupported(f"the name {node.id}")
    elif isinstance(node, ast.Attribute):
        if _dotted(node) not in _FUNCTIONS and _dotted(node) not in _CONSTANTS:
            raise Unsupported(f"the attribute {ast.unparse(node)}")
    elif isinstance(node, ast.BinOp):
        if type(node.op) not in _BINARY:
            raise Unsupported(f"the operator {type(node.op).__name__}")
    elif isinstance(node, ast.UnaryOp):
        if type(node.op) not in _UNARY:
            raise Unsupported(f"the operator {type(node.op).__name__}")
    elif isinstance(node, ast.Dict):
        if None in node.keys:
            raise Unsupported("the expression ** in a dict")
    elif not isinstance(node, _PLAIN_NODES):
        raise Unsupported(f"the expression {type(node).__name__}")


class _Interpreter:
    """Evaluates an expression; ``values`` stand for the calls of the tested function."""

    def __init__(self, places: Mapping[ast.expr, int], values: Sequence[Any]) -> None:
        self.places, self.values = places, values

    def value(self, node: ast.expr) -> Any:
        """What it evaluates to."""
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            items = [self.value(item) for item in node.elts]
            kind = {ast.List: list, ast.Tuple: tuple, ast.Set: set}[type(node)]
            return kind(items)
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            return {self.value(k): self.value(v) for k, v in pairs if k is not None}
        if isinstance(node, ast.BinOp):
            return _binary(node.op, self.value(node.left), self.value(node.right))
        if isinstance(node, ast.UnaryOp):
            return _UNARY[type(node.op)](self.value(node.operand))
        if isinstance(node, ast.BoolOp):
            return self._first(node.values, isinstance(node.op, ast.Or))
        if isinstance(node, ast.Compare):
            left = self.value(node.left)
            for op, following in zip(node.ops, node.comparators, strict=True):
                right = self.value(following)
                if not _COMPARE[type(op)](left, right):
                    return False
                left = right
            return True
        if isinstance(node, ast.Subscript):
            return self.value(node.value)[self.value(node.slice)]
        if isinstance(node, ast.Slice):
            parts = (node.lower, node.upper, node.step)
            return slice(*(None if part is None else self.value(part) for part in parts))
        if isinstance(node, ast.Attribute):
            return _CONSTANTS[_dotted(node)]
        if isinstance(node, ast.Call):
            return self._call(node)
        raise Unsupported(f"the expression {type(node).__name__}")

    def _first(self, operands: Sequence[ast.expr], wanted: bool) -> Any:
        """The value of the first operand that is as true as wanted, else of the last."""
        for operand in operands:
            value = self.value(operand)
            if bool(value) is wanted:
                break
        return value

    def _call(self, node: ast.Call) -> Any:
        if node in self.places:
            return self.values[self.places[node]]
        name = _dotted(node.func)
        arguments = [self.value(argument) for argument in node.args]
        if name == "range" and max((abs(a) for a in arguments), default=0) > _MAX_LENGTH:
            raise OverflowError("a range that is too long")
        keywords: Mapping[str, Any] = {
            keyword.arg: self.value(keyword.value) for keyword in node.keywords if keyword.arg
        }
        return _FUNCTIONS[name](*arguments, **keywords)


_PLAIN_NODES = (
    ast.Constant, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.BoolOp, ast.Compare, ast.Subscript,
    ast.Slice,
)  # fmt: skip


def _binary(op: ast.operator, left: Any, right: Any) -> Any:
    for one in (left, right):
        if isinstance(one, int) and one.bit_length() > _MAX_BITS:
            raise OverflowError("a number that is too long")
    whole = isinstance(left, int) and isinstance(right, int)
    if isinstance(op, ast.Pow) and whole and left.bit_length() * abs(right) > _MAX_BITS:
        raise OverflowError("a power that is too long")
    if isinstance(op, ast.Mult):
        for one, other in ((left, right), (right, left)):
            if (
                hasattr(one, "__len__")
                and isinstance(other, int)
                and len(one) * other > _MAX_LENGTH
            ):
                raise OverflowError("a product that is too long")
    if isinstance(op, ast.Mod) and isinstance(left, (str, bytes)):
        raise TypeError("string formatting is not supported")
    return _BINARY[type(op)](left, right)

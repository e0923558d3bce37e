"""Finite data: rows from a file, a hub id or memory, and a `TaskSource` over them.

    rows = load_rows("openai/gsm8k:main", {"question": str, "answer": str})

A bad row is left out and named in one warning (its number, the field, what was found); the good
rows are kept. Only a source without a single good row is an error.

Files are read with the standard library, line by line where the format allows it, so a file that
was cut in half still gives its whole rows. Hub ids and Parquet go through the ``datasets`` package
(extra ``train``), imported on first use.
"""

from __future__ import annotations

import csv
import json
import re
import warnings
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from corgi_gym.envs.spaces import MAX_PROMPT_CHARS
from corgi_gym.envs.task import (
    Draft,
    Split,
    Task,
    TaskSource,
    split_of,
    stable_hash,
)

Row = dict[str, Any]
Source = str | Path | Iterable[Mapping[str, Any]]

FILE_TYPES = (".jsonl", ".json", ".csv", ".parquet")
# Bad rows spelled out in the warning; the rest is a count.
MAX_NAMED_ROWS = 5
# "owner/name", optionally ":configuration"; hub names have these characters only.
_HUB_ID = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)(?::(?P<config>[\w.-]+))?")


_SURROGATE = re.compile("[\ud800-\udfff]")


class BadRow(ValueError):
    """A row that cannot be used; the message names its field."""


class NumberedRow(Row):
    """A row that knows its number in the source (counted from 1), whatever was left out before.

    Example:
        >>> NumberedRow({"question": "1 + 1?"}, 3).number
        3
    """

    def __init__(self, row: Mapping[str, Any], number: int) -> None:
        super().__init__(row)
        self.number = number


def named(bad: Sequence[str]) -> str:
    """The first of the bad rows, and how many more there are."""
    more = f"; and {len(bad) - MAX_NAMED_ROWS} more" if len(bad) > MAX_NAMED_ROWS else ""
    return "; ".join(bad[:MAX_NAMED_ROWS]) + more


def load_rows(
    source: Source,
    fields: Mapping[str, type | tuple[type, ...]],
    *,
    split: str = "train",
    id_field: str | None = None,
) -> list[NumberedRow]:
    """Read rows and keep those in which every field has its type.

    Args:
        source: A path (``.jsonl``, ``.json`` with a list, ``.csv``, ``.parquet``), a hub id
            (``"owner/name"`` or ``"owner/name:configuration"``), or rows in memory.
        fields: Field name to type (or types). A string must hold more than white space.
        split: Split of a hub data set; files have only one.
        id_field: A field whose value, where there is one, may not stand in two different rows.

    Returns:
        The good rows, each a new dict with all its fields (more than ``fields`` if there are), and
        its number.

    Raises:
        ValueError: If there is no good row; the message names the first bad ones.
        FileNotFoundError: For a path that does not exist.
        ImportError: For a hub id or Parquet file without ``datasets``.

    Example:
        >>> load_rows([{"question": "1 + 1?", "answer": "2"}], {"question": str, "answer": str})
        [{'question': '1 + 1?', 'answer': '2'}]
    """
    good: list[NumberedRow] = []
    bad: list[str] = []
    seen: dict[str, NumberedRow] = {}
    for number, row in _read(source, split):
        try:
            if isinstance(row, BadRow):
                raise row
            if not isinstance(row, Mapping):
                raise BadRow(f"is a {type(row).__name__}, not an object with fields: {row!r:.60}")
            for field, kind in fields.items():
                _check_field(row, field, kind)
            _check_text(row)
            found = NumberedRow(row, number)
            if id_field is not None and row.get(id_field) is not None:
                identity = repr(row[id_field])
                first = seen.setdefault(identity, found)
                if first != found:
                    raise BadRow(f"field {id_field!r} is {identity:.60}, as in row {first.number}")
            good.append(found)
        except BadRow as error:
            bad.append(f"row {number}: {error}")
    what = str(source) if isinstance(source, (str, Path)) else "the rows given"
    if bad or not good:
        if not good:
            raise ValueError(f"{what}: no usable row ({named(bad) or 'there are none at all'})")
        warnings.warn(
            f"{what}: {len(bad)} of {len(bad) + len(good)} rows left out ({named(bad)})",
            RuntimeWarning,
            stacklevel=2,
        )
    return good


def is_hub_id(source: Source | None) -> bool:
    """Whether `load_rows` would look for ``source`` on the hub.

    Example:
        >>> is_hub_id("openai/gsm8k:main"), is_hub_id("rows.jsonl"), is_hub_id(None)
        (True, False, False)
    """
    return isinstance(source, (str, Path)) and Path(source).suffix.lower() not in FILE_TYPES


def _check_field(row: Mapping[str, Any], field: str, kind: type | tuple[type, ...]) -> None:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    name = " or ".join(k.__name__ for k in kinds)
    if field not in row:
        raise BadRow(f"field {field!r} is missing; it has {sorted(map(str, row))!r:.120}")
    value = row[field]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise BadRow(f"field {field!r} must be {name}, got {type(value).__name__} {value!r:.60}")
    if isinstance(value, str) and not value.strip():
        raise BadRow(f"field {field!r} has no text")


def _check_text(row: Mapping[str, Any]) -> None:
    """No field holds text that no tokenizer and no terminal takes."""
    for field, value in row.items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and (found := _SURROGATE.search(text)):
                what = (
                    "is not UTF-8 text (save the file as UTF-8)"
                    if "\udc80" <= found[0] <= "\udcff"
                    else f"has a lone surrogate, {found[0]!r}"
                )
                raise BadRow(f"field {field!r} {what}: {text!r:.60}")


def _read(source: Source, split: str) -> Iterator[tuple[int, Any]]:
    """``(number, row)``, counted from 1; a row that cannot be read is a `BadRow`."""
    if isinstance(source, Mapping) or not isinstance(source, (str, Path, Iterable)):
        raise TypeError(f"data must be a path, a hub id or a list of rows, got {source!r:.80}")
    if not isinstance(source, (str, Path)):
        yield from enumerate(source, start=1)
        return
    path = Path(source)
    if path.suffix.lower() in FILE_TYPES:
        if not path.is_file():
            raise FileNotFoundError(f"no data file {str(source)!r}; give an existing path")
        yield from enumerate(_read_file(path), start=1)
        return
    hub = _HUB_ID.fullmatch(str(source))
    if hub is None or path.exists():
        raise ValueError(
            f"data {str(source)!r} is neither a file of type {', '.join(FILE_TYPES)} nor a hub id "
            'such as "openai/gsm8k:main"'
        )
    yield from enumerate(_read_hub(hub["name"], hub["config"], split), start=1)


def _read_file(path: Path) -> Iterator[Any]:
    kind = path.suffix.lower()
    if kind == ".parquet":
        yield from _datasets().load_dataset("parquet", data_files=str(path), split="train")
        return
    # utf-8-sig: spreadsheet programs put a mark at the start of the file. What is no UTF-8 becomes
    # lone surrogates, which `_check_text` finds.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        if kind == ".csv":
            yield from _read_csv(file)
        elif kind == ".jsonl":
            yield from (_parse(line) for line in file if line.strip())
        else:
            yield from _parse_list(file.read())


def _read_csv(lines: Iterable[str]) -> Iterator[Any]:
    reader = csv.DictReader(lines)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:  # such as a field that is too long; the rows after it are good
            yield BadRow(f"is not valid CSV: {error}")
            continue
        # a row that is too short has None, one that is too long has a list under None
        yield {k: v for k, v in row.items() if k is not None and v is not None}


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        return BadRow(f"is not valid JSON ({type(error).__name__}: {error}): {text[:60]!r}")


def _parse_list(text: str) -> Iterator[Any]:
    """The items of a JSON list, one by one: those before a cut are not lost."""
    decoder = json.JSONDecoder()
    at = _skip(text, 0)
    if text[at : at + 1] != "[":
        yield BadRow(f"a .json file must hold a list of rows; this one begins {text[at:][:40]!r}")
        return
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        try:
            row, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            yield BadRow(f"is not valid JSON ({type(error).__name__}: {error})")
            return
        yield row
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "]":
            yield BadRow(f"ends without ',' or ']' before {text[at:][:40]!r}; is the file cut off?")
            return


def _skip(text: str, at: int) -> int:
    """The position of the next character that is not white space."""
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _read_hub(name: str, config: str | None, split: str) -> Iterator[Any]:
    try:
        yield from _datasets().load_dataset(name, config, split=split)
    except ImportError:
        raise
    except Exception as error:  # the hub client raises many kinds, offline and online
        shown = f"{name}:{config}" if config else name
        raise ValueError(
            f"hub data set {shown!r} (split {split!r}) could not be loaded: "
            f"{type(error).__name__}: {error!s:.300}; check the id and the network, or give the "
            f"path of a local file ({', '.join(FILE_TYPES)})"
        ) from error


def _datasets() -> Any:
    try:
        import datasets
    except ImportError as error:
        raise ImportError(
            "hub ids and Parquet files need the datasets package: "
            'pip install "corgi-gym[train]" (or give a .jsonl, .json or .csv file)'
        ) from error
    return datasets


class RowSource(TaskSource):
    """A family over finite rows; subclasses turn a row into a `Draft`.

    A row's content decides its split, as for generated tasks. Within a split, item 0, 1, 2, … are
    different rows in an order drawn from the seed; after the last one the order begins again.

    Args:
        rows: What `load_rows` returned.

    Raises:
        ValueError: For no rows, and from `item`, for a split in which no row fell.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        drafts: dict[str, Draft] = {}
        numbers: dict[str, int] = {}
        bad: list[str] = []
        for position, row in enumerate(rows, start=1):
            number = row.number if isinstance(row, NumberedRow) else position
            try:
                draft = self.draft(row)
                if len(draft.prompt) > MAX_PROMPT_CHARS:
                    raise BadRow(
                        f"makes a prompt of {len(draft.prompt)} characters; at most "
                        f"{MAX_PROMPT_CHARS} fit"
                    )
                first = drafts.setdefault(draft.key, draft)  # rows of equal content are one task
                of_first = numbers.setdefault(draft.key, number)
                if first != draft:
                    raise BadRow(
                        f"has the content of row {of_first}, which is kept, with another answer: "
                        f"{draft.key!r:.60}; give one row for each"
                    )
            except BadRow as error:
                bad.append(f"row {number}: {error}")
        if bad:
            warnings.warn(
                f"family {self.family!r}: {len(bad)} of {len(rows)} rows left out ({named(bad)})",
                RuntimeWarning,
                stacklevel=3,
            )
        if not drafts:
            raise ValueError(
                f"family {self.family!r} has no usable row ({bad[:1] or 'none given'})"
            )
        self._orders: dict[tuple[int, str], list[int]] = {}
        self.drafts: dict[str, list[Draft]] = {}
        for key, draft in drafts.items():
            self.drafts.setdefault(split_of(self.family, key), []).append(draft)

    @abstractmethod
    def draft(self, row: Row) -> Draft:
        """Make a task of a row.

        Raises:
            BadRow: If it cannot be one; the message names the field.
        """

    def generate(self, rng: np.random.Generator) -> Draft:
        """A random one of all rows."""
        drafts = [draft for part in self.drafts.values() for draft in part]
        return drafts[int(rng.integers(len(drafts)))]

    def _find(self, seed: int, index: int, split: Split) -> Task:
        """Row number ``index`` of the split, in the order that ``seed`` draws."""
        drafts = self.drafts.get(split, [])
        if not drafts:
            raise ValueError(
                f"no row of family {self.family!r} fell into split {split!r}; "
                "give more rows, or use another split"
            )
        if (seed, split) not in self._orders:
            rng = np.random.default_rng(stable_hash(self.family, seed, split))
            self._orders[seed, split] = rng.permutation(len(drafts)).tolist()
        return self._task(drafts[self._orders[seed, split][index % len(drafts)]])

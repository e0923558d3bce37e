"""Finite data: bad rows are named and left out, good rows are never lost."""

import json
import sys

import pytest

from corgi_gym.envs import load_family
from corgi_gym.envs.data import BadRow, RowSource, load_rows
from corgi_gym.envs.task import SPLITS, Draft

FIELDS = {"question": str, "answer": str}
ROWS = [{"question": f"What is {i} + 1?", "answer": str(i + 1)} for i in range(60)]


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "parquet"])
def test_every_file_type_gives_the_same_rows(tmp_path, kind):
    path = tmp_path / f"rows.{kind}"
    if kind == "jsonl":
        write(path, "".join(json.dumps(row) + "\n" for row in ROWS))
    elif kind == "json":
        write(path, json.dumps(ROWS, indent=1))
    elif kind == "csv":
        lines = ["question,answer", *(f'"{r["question"]}",{r["answer"]}' for r in ROWS)]
        write(path, "\ufeff" + "\n".join(lines))
    else:
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("datasets")
        pandas.DataFrame(ROWS).to_parquet(path)
    assert load_rows(path, FIELDS) == load_rows(str(path), FIELDS) == ROWS


def test_a_csv_field_that_is_too_long_costs_one_row(tmp_path):
    lines = [f"What is {i}?,{i}" for i in range(8)]
    lines[1] = f"{'long ' * 30_000},1"
    path = write(tmp_path / "rows.csv", "\n".join(["question,answer", *lines]))
    with pytest.warns(RuntimeWarning, match=r"1 of 8 rows left out \(row 2: is not valid CSV"):
        rows = load_rows(path, FIELDS)
    assert [row["answer"] for row in rows] == ["0", "2", "3", "4", "5", "6", "7"]


def test_text_that_is_not_utf8_is_named(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes("question,answer\nWhat is 1?,1\nWas ist ein Café?,ja\n".encode("latin-1"))
    with pytest.warns(RuntimeWarning, match="row 2: field 'question' is not UTF-8 text .save the"):
        assert [row["answer"] for row in load_rows(path, FIELDS)] == ["1"]
    bad = {"question": "a", "answer": "b", "others": ["c\ud800"]}
    with pytest.warns(RuntimeWarning, match="row 2: field 'others' has a lone surrogate"):
        assert load_rows([ROWS[0], bad], FIELDS) == ROWS[:1]


def test_a_row_whose_prompt_does_not_fit_is_left_out():
    class Questions(RowSource):
        family = "questions_of_a_test"
        checker = "countdown"

        def draft(self, row):
            return Draft(row["question"], row["question"], row["answer"], row["answer"])

        def near_misses(self, task):
            return []

    with pytest.warns(RuntimeWarning, match="row 2: makes a prompt of 1000001 characters; at most"):
        source = Questions([ROWS[0], {"question": "x" * 1_000_001, "answer": "y"}])
    assert sum(map(len, source.drafts.values())) == 1


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"question": "Q?"}, r"row 2: field 'answer' is missing"),
        ({"question": "Q?", "answer": 3}, r"row 2: field 'answer' must be str, got int 3"),
        ({"question": "  ", "answer": "3"}, r"row 2: field 'question' has no text"),
        ({"question": None, "answer": "3"}, r"row 2: field 'question' must be str, got NoneType"),
        ("text", r"row 2: is a str, not an object with fields"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_kept(row, says):
    with pytest.warns(RuntimeWarning, match=says) as caught:
        rows = load_rows([ROWS[0], row, ROWS[1]], FIELDS)
    assert rows == ROWS[:2]
    assert len(caught) == 1


def test_rows_without_an_id_and_equal_rows_are_kept():
    rows = [{"q": "a"}, {"q": "b"}, {"id": None, "q": "c"}, {"id": 1, "q": "d"}] * 2
    assert load_rows(rows, {"q": str}, id_field="id") == rows


def test_a_bool_is_no_number():
    with pytest.raises(ValueError, match="field 'n' must be int, got bool True"):
        load_rows([{"n": True}], {"n": int})


def test_duplicate_ids_keep_the_first():
    rows = [{"id": 1, "q": "a"}, {"id": 1, "q": "b"}, {"id": 2, "q": "c"}]
    with pytest.warns(RuntimeWarning, match=r"row 2: field 'id' is 1, as in row 1"):
        assert [r["q"] for r in load_rows(rows, {"q": str}, id_field="id")] == ["a", "c"]


@pytest.mark.parametrize("kind", ["jsonl", "json"])
def test_a_file_cut_in_half_gives_its_whole_rows(tmp_path, kind):
    text = json.dumps(ROWS) if kind == "json" else "\n".join(map(json.dumps, ROWS))
    path = write(tmp_path / f"cut.{kind}", text[: len(text) // 2 + 3])
    with pytest.warns(RuntimeWarning, match=r"1 of \d+ rows left out \(row \d+: is not valid JSON"):
        rows = load_rows(path, FIELDS)
    assert rows == ROWS[: len(rows)]
    assert len(rows) >= 28


def test_many_bad_rows_make_one_short_warning():
    with pytest.warns(RuntimeWarning, match="and 45 more") as caught:
        load_rows([*ROWS, *[{}] * 50], FIELDS)
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "begins ''"),
        ('{"question": 1}', "must hold a list of rows"),
        ("[]", "there are none at all"),
        ("[" * 5000, "RecursionError"),
    ],
)
def test_a_json_file_without_rows_is_an_error(tmp_path, text, says):
    with pytest.raises(ValueError, match=says):
        load_rows(write(tmp_path / "a.json", text), FIELDS)


def test_what_is_no_source_says_what_would_be(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no data file .*gone\.jsonl"):
        load_rows(tmp_path / "gone.jsonl", FIELDS)
    with pytest.raises(ValueError, match=r"neither a file of type .* nor a hub id"):
        load_rows("no hub id", FIELDS)
    with pytest.raises(TypeError, match="a path, a hub id or a list of rows"):
        load_rows({"question": "Q?"}, FIELDS)


def test_a_hub_id_that_is_not_there_names_the_id_and_the_way_out(monkeypatch):
    datasets = pytest.importorskip("datasets")
    asked = []

    def load_dataset(*args, **kwargs):
        asked.append((args, kwargs))
        raise ConnectionError("no route")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(ValueError, match=r"'owner/gone:main' \(split 'test'\).*no route.*local"):
        load_rows("owner/gone:main", FIELDS, split="test")
    assert asked == [(("owner/gone", "main"), {"split": "test"})]


def test_hub_rows_are_checked_like_any_others(monkeypatch):
    datasets = pytest.importorskip("datasets")
    made = datasets.Dataset.from_list([*ROWS[:3], {"question": "Q?", "answer": None}])
    monkeypatch.setattr(datasets, "load_dataset", lambda *a, **k: made)
    with pytest.warns(RuntimeWarning, match="row 4: field 'answer'"):
        assert load_rows("owner/name", FIELDS) == ROWS[:3]


def test_without_the_datasets_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ImportError, match=r'pip install "corgi-gym\[train\]"'):
        load_rows("owner/name", FIELDS)


class Sums(RowSource):
    family = "sums"
    summary = "Add."
    checker = staticmethod(lambda reply, target: reply == target)

    def draft(self, row):
        if not row["answer"].isdigit():
            raise BadRow(f"field 'answer' is no number: {row['answer']!r}")
        return Draft(row["question"], row["question"], row["answer"], row["answer"])

    def near_misses(self, task):
        return [task.target + "0"]


def test_items_visit_every_row_of_a_split_once_before_any_again():
    source = Sums(ROWS)
    prompts = {}
    for split in SPLITS:
        size = len(source.drafts[split])
        items = [source.item(7, i, split).prompt for i in range(2 * size)]
        assert len(set(items[:size])) == size
        assert items[size:] == items[:size]
        prompts[split] = set(items)
    assert set.union(*prompts.values()) == {row["question"] for row in ROWS}
    assert sum(map(len, prompts.values())) == len(ROWS)
    assert [source.item(7, i).prompt for i in range(9)] != [
        source.item(8, i).prompt for i in range(9)
    ]


def test_rows_that_make_no_task_are_named_and_equal_rows_are_one_task():
    with pytest.warns(RuntimeWarning, match="row 61: field 'answer' is no number: 'x'"):
        source = Sums([*ROWS, {"question": "Q?", "answer": "x"}, ROWS[0]])
    assert sum(map(len, source.drafts.values())) == len(ROWS)
    with pytest.raises(ValueError, match="family 'sums' has no usable row"):
        Sums([])


def test_rows_of_one_content_with_another_answer_are_named():
    rows = [{"question": "1+1?", "answer": "2"}, {"question": "1+2?", "answer": "3"}]
    again = {"question": "1+1?", "answer": "3"}
    says = r"1 of 4 rows left out \(row 4: has the content of row 1, .*'1\+1\?'; give one row"
    with pytest.warns(RuntimeWarning, match=says):
        source = Sums([*rows, rows[0], again])
    kept = [draft for part in source.drafts.values() for draft in part]
    assert sorted(draft.witness for draft in kept) == ["2", "3"]


def test_rows_are_numbered_as_in_the_source():
    bad = [{"question": 5, "answer": "1"}, {"question": "Q?", "answer": "x"}]
    with pytest.warns(RuntimeWarning) as caught:
        Sums(load_rows([*bad, ROWS[0]], FIELDS))
    said = [str(warning.message) for warning in caught]
    assert len(said) == 2 and "(row 1: field 'question'" in said[0]
    assert said[1].endswith("(row 2: field 'answer' is no number: 'x')")


def test_many_rows_that_make_no_task_are_counted():
    bad = [{"question": "Q?", "answer": "x"}] * 7
    with pytest.warns(RuntimeWarning, match=r"7 of 8 rows left out \(row 1: .*; and 2 more\)"):
        Sums([*bad, ROWS[0]])


def test_a_split_without_rows_says_so():
    source = Sums(ROWS[:1])
    empty = next(split for split in SPLITS if split not in source.drafts)
    with pytest.raises(ValueError, match=f"no row of family 'sums' fell into split '{empty}'"):
        source.item(0, 0, empty)


@pytest.mark.parametrize(
    ("family", "options"),
    [
        ("concepts_hard", {"data": [{"concepts": "dog, ball"}], "count": (10, 12)}),
        ("style_transfer", {"data": [{"src_raw": "a", "tgt_raw": "b"}], "count": (2, 2)}),
        ("rationale_generation", {"data": [{}], "options": 3}),
        ("constraints", {"constraints": [{"level": "word"}], "difficulty": "hard"}),
        ("constraints", {"constraints": [{"level": "word"}], "levels": ["word"]}),
    ],
)
def test_options_of_generated_tasks_are_refused_beside_tasks_of_ones_own(family, options):
    """They did nothing, and nobody was told."""
    name = list(options)[1]
    with pytest.raises(ValueError, match=rf"^{name}=.* is for generated tasks, and \w+ brings its"):
        load_family(family)(**options)


def test_a_word_set_that_no_story_can_hold_is_left_out():
    words = [f"{a}{b}{c}" for a in "bcdf" for b in "aeiou" for c in "glmn"] + ["apple"]
    rows = [{"concepts": words}, {"concepts": ["dog", "ball", "park"]}]
    with pytest.warns(
        RuntimeWarning, match=r"row 1: field 'concepts' has 81 words, more than half"
    ):
        source = load_family("concepts_hard")(data=rows)
    assert len(source.drafts) == 1

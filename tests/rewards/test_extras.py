"""Missing packages are named, and files are found in packages that are never imported."""

import sys

import pytest

from corgi_gym.rewards.extras import missing_extra, require_modules, wheel_file


def test_missing_modules_are_named():
    with pytest.raises(ImportError, match=r'x needs no_such_module: .*"corgi-gym\[train\]"'):
        require_modules("x", "train", "json", "no_such_module")
    assert isinstance(missing_extra("a", "b", "c", "d==1"), ImportError)


@pytest.fixture
def carrier(tmp_path, monkeypatch):
    """A package that cannot be imported and carries a file in a subfolder."""
    folder = tmp_path / "corgi_test_carrier"
    (folder / "data").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    (folder / "data" / "rows.jsonl").write_text("{}\n")
    (tmp_path / "corgi_test_module.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def test_a_file_is_found_without_an_import(carrier):
    assert wheel_file(carrier.name, "data/rows.jsonl") == carrier / "data" / "rows.jsonl"
    assert carrier.name not in sys.modules


def test_what_is_not_there_is_none(carrier):
    assert wheel_file(carrier.name, "data/other.jsonl") is None
    assert wheel_file(carrier.name, "data") is None  # a folder is no file
    assert wheel_file("corgi_test_module", "data/rows.jsonl") is None  # no package
    assert wheel_file("corgi_test_no_such_package", "data/rows.jsonl") is None

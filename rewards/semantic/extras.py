"""What to say when an optional dependency is missing."""

from __future__ import annotations

import importlib.util


def missing_extra(what: str, needs: str, extra: str, *pins: str) -> ImportError:
    """The error for a missing extra; ``pins`` are wheels that work without their dependencies.

    Example:
        >>> str(missing_extra("x", "the encoder", "semantic"))
        'x needs the encoder: pip install "corgi-gym[semantic]"'
    """
    text = f'{what} needs {needs}: pip install "corgi-gym[{extra}]"'
    if pins:
        text += f" (or, without further packages: pip install --no-deps {' '.join(pins)})"
    return ImportError(text)


def require_modules(what: str, extra: str, *modules: str) -> None:
    """Check that modules can be imported, without importing them.

    Raises:
        ImportError: If one is missing, with what to install.
    """
    absent = [name for name in modules if importlib.util.find_spec(name) is None]
    if absent:
        raise missing_extra(what, " and ".join(absent), extra)

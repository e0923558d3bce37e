"""Optional packages: what to say when one is missing, and files that a wheel only carries."""

from __future__ import annotations

import importlib.util
from pathlib import Path


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


def wheel_file(package: str, path: str) -> Path | None:
    """A file inside an installed package, which is not imported; None where it is not there.

    For wheels of others that carry weights or data beside code that we do not need: importing them
    would load a library, or fail without their dependencies.

    Args:
        package: Its import name, top level (the parents of a subpackage would be imported).
        path: The file, from the package's folder on, with slashes.

    Example:
        >>> wheel_file("numpy", "version.py").name, wheel_file("no_such_package", "data.json")
        ('version.py', None)
    """
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        found = Path(folder, path)
        if found.is_file():
            return found
    return None

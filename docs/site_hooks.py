"""What mkdocs does not know about this repository; see mkdocs.yml.

README.md, CONTRIBUTING.md and CHANGELOG.md are pages of the site without a second copy, links that
are right in the repository are made right on the site, and the package is found under its name
although the repository is the package.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
ROOMS = ("rewards", "envs", "agents", "benchmarks")
# Fences that say something to the tests of the documentation and nothing to a highlighter.
_FENCE = re.compile(r"^```python no-run$", re.M)
_LINK = re.compile(r"(\]\()([^)\s#]+)([^)\s]*\))")
_CODE = re.compile(r"(^```.*?^```$)", re.M | re.S)


def on_startup(**_: Any) -> None:
    """Give the package its name for the reference pages.

    A link to the whole repository would also hold this folder, and so itself.
    """
    package = ROOT / ".cache" / "site" / "corgi_gym"
    package.mkdir(parents=True, exist_ok=True)
    for name in ("__init__.py", *ROOMS):
        if not (package / name).is_symlink():
            (package / name).symlink_to(Path("..", "..", "..", name))


def on_files(files: Any, config: Any) -> Any:
    """Add the pages and the files of the repository that pages link to."""
    for source, target in PAGES.items():
        files.append(File.generated(config, target, content=_page(ROOT / source)))
    for recipe in sorted((ROOT / "benchmarks" / "recipes").glob("**/*.yaml")):
        target = "recipes/" + recipe.relative_to(ROOT / "benchmarks" / "recipes").as_posix()
        files.append(File.generated(config, target, abs_src_path=str(recipe)))
    files.append(File.generated(config, "LICENSE", abs_src_path=str(ROOT / "LICENSE")))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links out of docs/ lead to the copies on the site."""
    inside = page.file.src_uri not in PAGES.values()
    depth = page.file.src_uri.count("/")
    return _FENCE.sub("```python", _links(markdown, depth) if inside else markdown)


def _page(path: Path) -> str:
    """A page of the root folder, with its links as seen from docs/."""
    return _links(path.read_text(encoding="utf-8").replace("](docs/", "]("), 0, root=True)


def _links(text: str, depth: int, root: bool = False) -> str:
    """``text`` with its links to the repository's files changed, code left as it is."""
    up = "../" * depth
    repository = "" if root else up + "../"

    def changed(match: re.Match[str]) -> str:
        target = match[2]
        for source, page in PAGES.items():
            if target == repository + source:
                target = up + page
        recipes = repository + "benchmarks/recipes/"
        if target.startswith(recipes):
            target = up + "recipes/" + target.removeprefix(recipes)
        return match[1] + target + match[3]

    parts = _CODE.split(text)
    return "".join(p if p.startswith("```") else _LINK.sub(changed, p) for p in parts)

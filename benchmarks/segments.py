"""A page with replies in coloured pieces: what AS-ES (`docs/as-es.md`) calls new, and what not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

from corgi_gym.agents.pieces import AS, CUTTING, ES, Cut
from corgi_gym.benchmarks.policy import check_inputs, load_policy, make_env
from corgi_gym.benchmarks.recipe import Recipe
from corgi_gym.benchmarks.report import plain_page

# Of the palette; the label stands in the text too, so that colour is not all that tells them apart.
_COLOURS = {AS: "--c-before", ES: "--c-after"}
_MARKS = {AS: "AS", ES: "ES"}


def run_segments(recipe: Recipe, out: str | Path, *, count: int = 12) -> Path:
    """Cut replies to a recipe's evaluation tasks and write the page; returns its path.

    ``train.options`` of the recipe say how to cut, and whether the replies are the tasks' witnesses
    (``data: witness``) or greedy ones of the model (``own``).

    Args:
        recipe: Names the model and the tasks.
        out: An HTML file.
        count: Replies, at least 1.

    Raises:
        ValueError: For an impossible recipe or option, or tasks without a witness.
        OSError: If the page cannot be written; found before the work.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count!r}")
    options = recipe.train.options
    # the page labels pieces, whatever training would learn
    labelled = {**options, "train_on": "as"} if recipe.algorithm == "as_es" else options
    check_inputs(replace(recipe, train=replace(recipe.train, options=labelled)))
    path = Path(out)
    _check_place(path)
    from corgi_gym.agents.models import load_model

    own = options.get("data") == "own"
    recipe.evaluation.tasks = count
    model, codec, replies = _own_replies(recipe) if own else _witnesses(recipe)
    if model is None or options.get("scorer"):
        model = load_model(options.get("scorer") or recipe.model)
    cuts = cut_replies(model, codec, options, replies)
    path.write_text(page(recipe, cuts, own=own), encoding="utf-8")
    return path


def _check_place(path: Path) -> None:
    """Find out whether the page can be written; one that is there stays."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = not path.exists()
        path.open("a").close()
        if new:
            path.unlink()
    except OSError as error:
        raise OSError(
            f"page {str(path)!r} cannot be written ({error.strerror or error}); "
            "choose another with --out"
        ) from error


def cut_replies(
    model: Any, codec: Any, options: dict[str, Any], replies: Sequence[tuple[str, str]]
) -> list[Cut]:
    """Cut replies as a recipe's ``train.options`` say."""
    from corgi_gym.agents.logps import add_chosen_head
    from corgi_gym.agents.pieces import Cutter

    add_chosen_head(model, 1.0)
    settings = {name: options[name] for name in CUTTING if name in options}
    return Cutter(model, codec, **settings)(replies)


def _witnesses(recipe: Recipe) -> tuple[Any, Any, list[tuple[str, str]]]:
    from corgi_gym.agents.codec import ChatCodec
    from corgi_gym.agents.demonstrations import check_witnesses
    from corgi_gym.agents.models import load_tokenizer

    env = make_env(recipe, train=False)
    check_witnesses(env)
    tasks = [env.unwrapped.task_at(i) for i in range(recipe.evaluation.tasks)]  # type: ignore[attr-defined]
    env.close()
    codec = ChatCodec(load_tokenizer(recipe.model), system=recipe.sampling.system)
    return None, codec, [(task.prompt, task.witness) for task in tasks]


def _own_replies(recipe: Recipe) -> tuple[Any, Any, list[tuple[str, str]]]:
    from corgi_gym.benchmarks.evaluation import evaluate

    policy = load_policy(recipe)
    try:
        episodes = evaluate(recipe, policy)
    finally:
        policy.engine.close()
    replies = [(e.messages[0]["content"], e.attempts[-1].reply) for e in episodes]
    return policy.model, policy.codec, replies


def page(recipe: Recipe, cuts: Sequence[Cut], *, own: bool) -> str:
    """The page as HTML."""
    labels = [label for cut in cuts for label in cut.labels]
    options = recipe.train.options
    lead = (
        f"{len(cuts)} {'replies of ' + recipe.model if own else 'witnesses'}, cut and scored by "
        f"{options.get('scorer') or recipe.model}: {len(labels)} pieces, "
        f"{labels.count(AS)} abstractive (AS) and {labels.count(ES)} extractive (ES). "
        f"Split by {options.get('split', 'entropy')}."
    )
    return plain_page("Replies in pieces", lead, "".join(map(_section, cuts)))


def _section(cut: Cut) -> str:
    """One reply: its pieces with their labels and novelty."""
    reply = "".join(cut.pieces)
    pieces = "".join(
        f'<span style="border-bottom: 3px solid var({_COLOURS[segment.label]})" '
        f'title="{segment.label}, {novelty:.3f}">'
        f'<sub style="color: var({_COLOURS[segment.label]})">{_MARKS[segment.label]} '
        f"{novelty:.2f}</sub> {escape(reply[segment.start : segment.end])}</span>"
        for segment, novelty in zip(cut.segments(), cut.novelty, strict=True)
    )
    return (
        f"<section><p>{escape(cut.prompt)}</p>"
        f'<p style="white-space: pre-wrap; line-height: 2.2">{pieces}</p></section>'
    )

"""How good a policy is on a recipe's fixed tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from corgi_gym.agents.episode import Episode
from corgi_gym.agents.processes import Processes
from corgi_gym.benchmarks.display import Display
from corgi_gym.benchmarks.policy import Policy, check_inputs, load_policy, make_rollout
from corgi_gym.benchmarks.progress import evaluation_summary, trains
from corgi_gym.benchmarks.recipe import Recipe

if TYPE_CHECKING:
    from corgi_gym.agents.rollout import Rollout

# Items looked at per evaluation task, to find different ones.
_LOOKED_AT = 10


def evaluate(
    recipe: Recipe,
    policy: Policy,
    *,
    independent: bool = False,
    on_episode: Callable[[Episode], None] | None = None,
) -> list[Episode]:
    """Sessions on the recipe's fixed evaluation tasks (see `evaluation_indices`).

    They are greedy and with feedback, or (``independent``) as many independent samples per task at
    the training temperature, without feedback.
    """
    from corgi_gym.agents.independent import best_of_k
    from corgi_gym.agents.rollout import Session

    here = Processes.current()
    rollout = make_rollout(recipe, policy, train=False, sampled=independent)
    indices = here.share(evaluation_indices(recipe, rollout))
    sessions = [Session(index=i, seed=recipe.seed) for i in indices]
    alone = on_episode if here.count == 1 else None
    try:
        if independent:
            mine = best_of_k(rollout, sessions, recipe.evaluation.attempts, on_episode=alone)
        else:
            mine = rollout.run(sessions, policy_version=policy.version, on_episode=alone)
    finally:
        rollout.close()
    episodes = here.gather(mine)
    if on_episode is not None and alone is None:
        for episode in episodes:
            on_episode(episode)
    return episodes


def evaluation_indices(recipe: Recipe, rollout: Rollout) -> list[int]:
    """Items 0, 1, 2 and so on of the split, without those that are a task already chosen.

    Fewer than asked for where the environment has fewer different tasks (custom prompts).
    """
    wanted = recipe.evaluation.tasks
    env = rollout.make_env()
    chosen: dict[str, int] = {}
    for index in range(_LOOKED_AT * wanted):
        if len(chosen) == wanted:
            break
        _, info = env.reset(options={"index": index})
        chosen.setdefault(info["task_id"], index)
    env.close()
    return list(chosen.values())


def evaluate_recipe(recipe: Recipe, display: Display | None = None) -> dict[str, Any]:
    """Evaluate the recipe's model on its fixed tasks, without a run folder.

    With an algorithm that trains nothing, as that algorithm does it.
    """
    with display or Display(0) as shown:
        check_inputs(recipe, train=False)
        policy = load_policy(recipe)
        shown.phase("evaluation", recipe.evaluation.tasks)
        try:
            episodes = evaluate(
                recipe,
                policy,
                independent=not trains(recipe),
                on_episode=lambda episode: shown.advance(),
            )
        finally:
            policy.engine.close()
    summary = evaluation_summary(episodes, recipe.evaluation.attempts)
    return {"model": recipe.model, **({} if trains(recipe) else {"independent": True}), **summary}


def evaluation_text(result: dict[str, Any]) -> str:
    """An evaluation as a person reads it."""
    head = (
        f"{result['model']} on {result['tasks']} tasks, "
        f"{'independent samples' if result.get('independent') else 'greedy'}\n"
    )
    if result["success"] is None:
        return f"{head}  nothing could be checked{unscored_text(result)}"
    success = " ".join(f"{s:.3f}" for s in result["success"])
    lines = [f"  success@1...{len(result['success'])}   {success}"]
    retried = not result.get("independent")  # independent samples neither gain nor repeat
    if retried:
        lines.append(f"  interaction gain  {result['gain']:.3f}")
    lines.append(f"  mean best score   {result['mean_score']:.3f}")
    if retried:
        lines.append(f"  verbatim repeats  {result['repeats']:.3f} of retries")
    return head + "\n".join(lines) + unscored_text(result)


def unscored_text(found: dict[str, Any], phase: str = "") -> str:
    """A line on sessions that could not be checked, with a line break before it; "" for none."""
    if not found[f"unscored{phase}"]:
        return ""
    return (
        f"\n  not counted       {found[f'unscored{phase}']} tasks, since the checker failed: "
        f"{found.get(f'unscored_because{phase}', '')}"
    )

"""Audit every family of reasoning-gym: their scorer next to ours, one line per family.

    python benchmarks/peers/reasoning_gym_audit.py --out audit.json --markdown audit.md

Columns: what their scorer and ours give for the stored answer and for the probes (the stored answer
with a minus, inside other text, in a hedge, garbage, the question again), how often the most
frequent answer occurs among many items (a fixed reply is right that often), the time of an item,
and whether items are the same in processes with other hash seeds. Families that are left out are
audited with their own scorer only, and the reason stands in the last column.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import reasoning_gym

from corgi_gym.envs.task import SPLITS, stable_text
from corgi_gym.envs.tasks.reasoning_gym import family
from corgi_gym.rewards import judge
from corgi_gym.rewards._reasoning_gym_table import COMPARE, EXCLUDED, QUESTIONS, SEVERAL

PROBED = 5
# Items counted for the most frequent answer: fewer where making them takes longer than this.
COUNTED, COUNT_SECONDS = 300, 4.0
# So many equal answers say nothing about a share.
FEW = 5


def probes(question: str, answer: str) -> dict[str, str]:
    """Replies that must earn less than 1."""
    return {
        "minus": f"-{answer}",
        "inside": f"x {answer} y",
        "hedge": f"{answer} or not",
        "garbage": "lorem ipsum 7",
        "echo": question,
    }


def their_score(data: Any, answer: Any, entry: dict[str, Any]) -> float | str:
    """Their score, or the kind of exception."""
    try:
        return round(float(data.score_answer(answer, dict(entry))), 3)
    except Exception as error:
        return type(error).__name__


def audit_theirs(name: str) -> dict[str, Any]:
    """Their scorer on the stored answer and the probes: the worst of a few items."""
    try:
        data = reasoning_gym.create_dataset(name, seed=3, size=PROBED)
        entries = [data[i] for i in range(PROBED)]
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    row: dict[str, Any] = {"stored": [their_score(data, e["answer"], e) for e in entries]}
    for entry in entries:
        for probe, text in probes(entry["question"], str(entry["answer"])).items():
            score = their_score(data, text, entry)
            if isinstance(score, float):
                row[probe] = max(score, row.get(probe, 0.0))
    return row


def audit_ours(name: str) -> dict[str, Any]:
    """Our checker on the same, and how guessable the family is."""
    source = family(name)()
    tasks = [source.item(3, i) for i in range(PROBED)]
    row: dict[str, Any] = {
        "witness": all(judge(t.checker, t.witness, t.target).success for t in tasks),
        "misses": all(
            not (v := judge(t.checker, miss, t.target)).success and v.status == "scored"
            for t in tasks
            for miss in source.near_misses(t)
        ),
        "questions": source.questions,
    }
    for task in tasks:
        right = task.witness.removeprefix("Answer:").strip("\n ")
        for probe, text in probes(task.prompt, right).items():
            score = judge(task.checker, f"Answer: {text}", task.target).score
            row[probe] = max(score, row.get(probe, 0.0))
    answers: Counter[str] = Counter()
    prompts = set()
    start = time.process_time()
    for i in range(COUNTED):
        task = source.item(11, i)
        answers[task.witness.casefold()] += 1
        prompts.add(task.prompt)
        if time.process_time() - start > COUNT_SECONDS:
            break
    count = sum(answers.values())
    row["item_ms"] = round((time.process_time() - start) / count * 1e3, 2)
    row["most_frequent"] = round(answers.most_common(1)[0][1] / count, 3)
    row["different"] = round(len(prompts) / count, 3)
    row["counted"] = count
    row["splits"] = all(source.item(0, 0, split).witness for split in SPLITS)
    return row


def digests(names: list[str]) -> dict[str, str]:
    """A digest of a few items per family; equal in every process if the family is pure."""
    found = {}
    for name in names:
        source = family(name)()
        text = "".join(
            stable_text([task.prompt, task.target, task.witness])
            for task in (source.item(5, i) for i in range(3))
        )
        found[name] = hashlib.blake2b(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return found


def other_process(names: list[str], hash_seed: str) -> dict[str, str]:
    """The digests, made by another process."""
    command = [sys.executable, __file__, "--digests", *names]
    env = {**os.environ, "PYTHONHASHSEED": hash_seed}
    result = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return json.loads(result.stdout.splitlines()[-1])


def markdown(rows: dict[str, dict[str, Any]]) -> str:
    """The table of the documentation."""
    lines = [
        "| family | judged by | questions | their stored | their worst probe | ours: witness "
        "| ours: worst probe | most frequent | ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        theirs, ours = row["theirs"], row.get("ours", {})
        stored = theirs.get("stored", [theirs.get("error", "")])
        low = stored[0] if len(set(map(str, stored))) == 1 else f"{min(map(str, stored))} …"
        worst = max((v for k, v in theirs.items() if isinstance(v, float)), default="")
        ours_worst = max(
            (v for v in (ours.get(p) for p in probes("", "")) if v is not None), default=""
        )
        how = "left out: " + EXCLUDED[name] if name in EXCLUDED else row["how"]
        lines.append(
            f"| `{name}` | {how} | {ours.get('questions', '')} | {low} | {worst} "
            f"| {'1.0' if ours.get('witness') else ''} | {ours_worst} "
            f"| {ours.get('most_frequent', '')} | {ours.get('item_ms', '')} |"
        )
    return "\n".join(lines) + "\n"


def main() -> int:
    """Audit, write, and say what is wrong; the exit status is 1 if something is."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="families; all if none is given")
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    parser.add_argument("--markdown", type=Path, help="write the table")
    parser.add_argument("--digests", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    names = arguments.names or sorted(reasoning_gym.factory.DATASETS)
    if arguments.digests:
        print(json.dumps(digests(names)))
        return 0
    rows: dict[str, dict[str, Any]] = {}
    for name in names:
        how = "their scorer too" if name in SEVERAL else COMPARE.get(name, "text")
        rows[name] = {"how": how, "theirs": audit_theirs(name)}
        if name not in EXCLUDED:
            try:
                rows[name]["ours"] = audit_ours(name)
            except Exception as error:
                rows[name]["ours"] = {"error": f"{type(error).__name__}: {error}"}
        print(name, json.dumps(rows[name], ensure_ascii=False), flush=True)
    offered = [name for name in names if name not in EXCLUDED]
    here, there = other_process(offered, "1"), other_process(offered, "2")
    bad = []
    for name in offered:
        ours = rows[name]["ours"]
        ours["pure"] = here[name] == there[name]
        wrong = [key for key in ("witness", "misses", "splits", "pure") if not ours.get(key)]
        wrong += [p for p in probes("", "") if ours.get(p, 0.0) >= 1.0]
        share, count = ours.get("most_frequent", 1.0), ours.get("counted", 0)
        if share > 0.05 and share * count > FEW:
            wrong.append(f"a fixed reply is right in {ours.get('most_frequent')}")
        if wrong:
            bad.append(f"{name}: {', '.join(wrong)} {ours.get('error', '')}")
    if arguments.out:
        arguments.out.write_text(json.dumps(rows, indent=1, ensure_ascii=False))
    if arguments.markdown:
        arguments.markdown.write_text(markdown(rows))
    print(f"{len(names)} families, {len(offered)} offered, {len(QUESTIONS)} with several questions")
    print("\n".join(bad) or "nothing wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())

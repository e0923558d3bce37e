"""What the comparisons with peers write down."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from corgi_gym.benchmarks.throughput.record import machine


def write_record(path: Path, record: Mapping[str, Any], command: Sequence[str]) -> None:
    """Write the figures with the command and the machine as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {**record, "command": list(command), "machine": machine()}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {path}")

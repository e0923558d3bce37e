"""Reference mode against the published IFEval checkers: every instruction, many replies.

    python -m venv .venv-ifeval
    .venv-ifeval/bin/pip install --no-deps -r benchmarks/peers/ifeval.txt
    python benchmarks/peers/ifeval_reference.py --python .venv-ifeval/bin/python

Runs the published code in its own environment (`_ifeval_peer.py`) on the distinct instructions of
the 541 rows times: the prompt-blind strings of the tests, the witness of each row, and seeded
random texts full of abbreviations, capitals, quotes, lists and other scripts. Compares each
verdict, and per row whether all instructions are followed. Exits with 1 on a difference. ``--out``
writes all verdicts; ``--fixture`` writes the sample that the tests hold.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from pathlib import Path

from corgi_gym.envs.tasks.instruction_following import IFEval, ifeval_file
from corgi_gym.rewards.instructions import instruction_following, read_target
from corgi_gym.rewards.instructions.reply import Reply

HERE = Path(__file__).parent
BLIND = HERE.parents[1] / "tests/rewards/data/blind_replies.json"
FIXTURE_REPLIES = 160
_PIECES_TEXT = """
    the a cat dog river I We HELLO NASA U.S. Dr. Mr. e.g. etc. i.e. a.m. Inc. St. J. K. 1. 2. 3.14
    1,000 don't DON'T IT'S I'M can't CANNOT gonna WANNA 'TIS 'twas O'Neil rock'n'roll MORE'N D'YE
    LEMME story war peace word quick however However But He it's It's (see [name] [] [address * -
    -- --- ... . .. ! ? !! ?! ; : , ,, « » “yes” ‘no’ ’ " '' ` `` *bold* **strong** *** ******
    <<title>> << >> <<>> Section SECTION PARAGRAPH Day P.S. P.P.S p.p.s. P. S. # $ % & @ _x_ A.B.C.
    a-b well-known U.K. No. Vol. vs. Sept. Jan. naïve ÉCOLE größer STRASSE Привет мир это не نص और
    है 中文 日本語 ひらがな 한국어 http://a.b/c x@y.com {"a":1} ```json ``` hello! world? END. END.'
    "Quoted." (paren.) [x]. A. B. C: D; E/F G&H 'QUOTED' 'S 's N'T ## number The According
    """
_PIECES = _PIECES_TEXT.split()
_GAPS = [" "] * 14 + ["\n", "\n\n", "", "  ", "\n\n\n", "\r\n", "\u2028", "\xa0", "\t"]


def random_replies(number: int, seed: int = 0) -> list[str]:
    """Texts made of what sentence and word splitters trip over; a function of the seed."""
    rng, made = random.Random(seed), []
    for _ in range(number):
        size = rng.choice((1, 3, 8, 20, 60, 150))
        text = "".join(rng.choice(_PIECES) + rng.choice(_GAPS) for _ in range(size))
        style = rng.random()
        if style < 0.3:
            text = text.lower() if style < 0.15 else text.upper()
        made.append(f'"{text}"' if rng.random() < 0.05 else text)
    return made


def public_rows() -> list[dict]:
    """The 541 rows."""
    return [json.loads(line) for line in ifeval_file().read_text("utf-8").splitlines()]


def distinct(rows: list[dict]) -> tuple[list[dict], list[list[int]]]:
    """The distinct instructions of the rows, and for each row which of them it has."""
    number: dict[str, int] = {}
    found, of_row = [], []
    for row in rows:
        own = []
        for kind, kwargs in zip(row["instruction_id_list"], row["kwargs"], strict=True):
            key = json.dumps([kind, kwargs], sort_keys=True)
            if key not in number:
                number[key] = len(found)
                found.append({"kind": kind, "kwargs": kwargs})
            own.append(number[key])
        of_row.append(own)
    return found, of_row


def ask_peer(python: str, job: dict) -> dict:
    """Run the published checkers on a job."""
    run = subprocess.run(
        [python, str(HERE / "_ifeval_peer.py")],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise SystemExit(f"the reference environment failed:\n{run.stderr[-2000:]}")
    return json.loads(run.stdout)


def ours(instructions: list[dict], replies: list[str]) -> list[str]:
    """One character per instruction for each reply, as the peer writes them."""
    read = [
        read_target({"mode": "reference", "instructions": [row]}).instructions[0]
        for row in instructions
    ]
    found = []
    for reply in replies:
        view, said = Reply(reply), bool(reply.strip())
        followed = (said and i.problem(view, "reference") is None for i in read)
        found.append("".join("1" if yes else "0" for yes in followed))
    return found


def compare_rows(rows: list[dict], of_row: list[list[int]], reply: str, verdicts: str) -> int:
    """Rows whose checker verdict differs from the reference's instructions taken together."""
    wrong = 0
    for row, own in zip(rows, of_row, strict=True):
        target = {
            "mode": "reference",
            "instructions": [
                {"kind": kind, "kwargs": kwargs}
                for kind, kwargs in zip(row["instruction_id_list"], row["kwargs"], strict=True)
            ],
        }
        verdict = instruction_following(reply, target)
        share = sum(verdicts[i] == "1" for i in own) / len(own)
        wrong += verdict.success != (share == 1.0) or abs(verdict.score - share) > 1e-9
    return wrong


def main() -> int:
    """Compare, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--python", required=True, help="python of the reference environment")
    parser.add_argument("--random", type=int, default=300, help="how many random texts")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="write all verdicts here (JSON)")
    parser.add_argument("--fixture", type=Path, help="write the sample for the tests here (JSON)")
    args = parser.parse_args()
    rows = public_rows()
    instructions, of_row = distinct(rows)
    source = IFEval(mode="reference")
    witnesses = [
        source.item(0, i, split).witness
        for split, drafts in source.drafts.items()
        for i in range(len(drafts))
    ]
    made = random_replies(args.random, args.seed)
    replies = list(dict.fromkeys([*json.loads(BLIND.read_text("utf-8")), *made, *witnesses]))
    start = time.perf_counter()
    told = ask_peer(args.python, {"instructions": instructions, "replies": replies})["verdicts"]
    mine = ours(instructions, replies)
    wrong = 0
    for reply, theirs, own in zip(replies, told, mine, strict=True):
        for row, a, b in zip(instructions, theirs, own, strict=True):
            if a != b:
                wrong += 1
                print(f"reference {a}, ours {b}: {row} on {reply[:200]!r}", file=sys.stderr)
    step = max(1, len(replies) // 40)
    wrong_rows = sum(
        compare_rows(rows, of_row, reply, verdicts)
        for reply, verdicts in zip(replies[::step], told[::step], strict=True)
    )
    checks = len(replies) * len(instructions)
    print(
        f"{len(replies)} replies x {len(instructions)} distinct instructions of {len(rows)} rows: "
        f"{checks} verdicts, {wrong} differ; {len(replies[::step]) * len(rows)} row verdicts, "
        f"{wrong_rows} differ; exceptions in the reference: {sum(v.count('x') for v in told)} "
        f"({time.perf_counter() - start:.0f} s)"
    )
    if args.out:
        write(args.out, instructions, of_row, rows, replies, told)
    if args.fixture:
        short = [i for i, reply in enumerate(replies) if len(reply) < 900]
        chosen = short[:: max(1, len(short) // FIXTURE_REPLIES)][:FIXTURE_REPLIES]
        sample = [replies[i] for i in chosen]
        write(args.fixture, instructions, of_row, rows, sample, [told[i] for i in chosen])
    return 1 if wrong or wrong_rows else 0


def write(path: Path, instructions, of_row, rows, replies, verdicts) -> None:
    """Write verdicts as hexadecimal numbers, one bit per instruction."""
    bits = [format(int(v.replace("x", "0"), 2), "x") for v in verdicts]
    content = {
        "source": "verdicts of google-research's instruction_following_eval (Apache-2.0), seeds 0",
        "instructions": instructions,
        "rows": {str(row["key"]): own for row, own in zip(rows, of_row, strict=True)},
        "replies": replies,
        "verdicts": bits,
    }
    path.write_text(json.dumps(content, ensure_ascii=False, indent=0) + "\n", "utf-8")
    print(f"wrote {path} ({path.stat().st_size // 1024} KiB)")


if __name__ == "__main__":
    sys.exit(main())

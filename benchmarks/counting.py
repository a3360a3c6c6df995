"""How many constraints hold exact jamming points: networks of all activations, and packings.

    python benchmarks/counting.py [--workers 16] [--minutes 7] [--out FILE.json]

The cases of `counting_cases` in their order, over processes of one thread each. Each case that
ends is written at once, with the small forces and gaps in an ``.npz`` beside the numbers; failures
and what ran out of its time are kept as such, and the same command goes on where it was. After so
many minutes no case is begun; what was running when the whole was interrupted is marked as cut
off, and begun again by the next call. `counting_report` and `counting_figure` say what came of it.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "NUMBA", "OPENBLAS")})

import numpy as np
from counting_cases import Case, cases
from counting_points import Numbers, Values, measured

from bridge.records.writing import replacing, write_text
from bridge.runs.workers import cores, ending_on_signals, stream_unordered

HOME = Path(__file__).with_suffix(".json")
CUT_OFF = "cut off"


@dataclass(frozen=True)
class Task:
    """A case, and the time by the clock after which it is not begun."""

    case: Case
    deadline: float

    def __str__(self) -> str:
        return self.case.name


def run(task: Task) -> Iterator[tuple[Case, Numbers, Values]]:
    """Yield that a case has begun, and how it ended; nothing after the deadline."""
    if time.time() < task.deadline:
        yield task.case, {"status": CUT_OFF, "reason": "it was running when the run ended"}, {}
        yield task.case, *measured(task.case)


def killed(task: Task, reason: str) -> tuple[Case, Numbers, Values]:
    return task.case, {"status": "killed", "reason": reason}, {}


class Book:
    """Numbers of all cases in a JSON file, a line each, and their values in one array beside it.

    ``values`` of a line are the places of each kind in that array.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.values_path = path, path.with_suffix(".npz")
        self.lines: dict[str, dict[str, Any]] = {}
        self.values = np.empty(0, dtype=np.float32)
        if path.exists():
            rows = json.loads(path.read_text(encoding="utf-8"))
            self.lines = {Case(**row["case"]).name: row for row in rows}
            with np.load(self.values_path) as file:
                self.values = file["values"]

    def known(self, case: Case) -> bool:
        return self.lines.get(case.name, {"status": CUT_OFF})["status"] != CUT_OFF

    def add(self, case: Case, numbers: Numbers, values: Values) -> None:
        places = {}
        for name, found in values.items():
            places[name] = [len(self.values), len(self.values) + len(found)]
            self.values = np.concatenate([self.values, np.asarray(found, dtype=np.float32)])
        self.lines[case.name] = {"case": asdict(case)} | numbers | {"values": places}

    def write(self) -> None:
        """Write both files, the values first; each is whole at any time."""
        with replacing(self.values_path) as part, part.open("wb") as file:
            np.savez_compressed(file, values=self.values)
        rows = ",\n".join(json.dumps(line, ensure_ascii=False) for line in self.lines.values())
        write_text(self.path, f"[\n{rows}\n]\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=cores())
    parser.add_argument("--minutes", type=float, default=1e6, help="after which to begin no more")
    parser.add_argument("--out", type=Path, default=HOME)
    parser.add_argument("--first", type=int, help="run the first so many cases only")
    options = parser.parse_args()
    book = Book(options.out)
    deadline = time.time() + 60.0 * options.minutes
    todo = [Task(case, deadline) for case in cases()[: options.first] if not book.known(case)]
    with suppress(KeyboardInterrupt), ending_on_signals():
        for case, numbers, values in stream_unordered(run, todo, options.workers, lost=killed):
            book.add(case, numbers, values)
            book.write()
            if numbers["status"] != CUT_OFF:
                said = (numbers.get(key, "") for key in ("status", "missing", "n", "seconds"))
                print(case.name, *said, flush=True)


if __name__ == "__main__":
    main()

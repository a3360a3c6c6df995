"""Small faults written into the code one at a time: which of them do the tests notice?

usage: python benchmarks/mutants.py [--jobs N] [--limit N] [file ...]

cosmic-ray makes the faults. The files, the tests of each and what is to be said of survivors are
in mutants.toml; results are kept in build/mutants, one database a file, and a file whose text and
tests have not changed goes on where it was. With --limit only so many faults are tried in each
file, drawn at random. Prints the tables of MUTANTS.md.
"""

import argparse
import gc
import hashlib
import importlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "build" / "mutants"
# What most tests import, but for the code itself: a test run starts in a fork that has it.
PRELOADED = (
    "numpy", "scipy.linalg", "scipy.optimize", "scipy.sparse.linalg", "scipy.integrate",
    "networkx", "hypothesis.extra.numpy", "numba", "torch",
)  # fmt: skip
# One fault of each kind: + for -, * for /, a comparison turned round or its boundary moved,
# a number one larger or smaller, a condition, sign or loop left out.
OPERATORS = re.compile(
    r"core/(NumberReplacer|AddNot|ReplaceTrueWithFalse|ReplaceFalseWithTrue|ReplaceAndWithOr"
    r"|ReplaceOrWithAnd|ReplaceBreakWithContinue|ReplaceContinueWithBreak|ZeroIterationForLoop"
    r"|ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Div|Div_Mul|Pow_Mul|BitAnd_BitOr|BitOr_BitAnd)"
    r"|ReplaceUnaryOperator_Delete_\w+"
    r"|ReplaceComparisonOperator_(Gt_GtE|Gt_LtE|Lt_LtE|Lt_GtE|GtE_Gt|GtE_Lt|LtE_Lt|LtE_Gt"
    r"|Eq_NotEq|NotEq_Eq|Is_IsNot|IsNot_Is))$"
)


def main():
    table = tomllib.loads((ROOT / "benchmarks" / "mutants.toml").read_text(encoding="utf-8"))
    options = argparse.ArgumentParser()
    options.add_argument("files", nargs="*", default=list(table["tests"]))
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--limit", type=int)
    chosen = options.parse_args()
    if unknown := set(chosen.files) - set(table["tests"]):
        sys.exit(f"expected files of benchmarks/mutants.toml, got {', '.join(sorted(unknown))}")
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[threads] = "1"  # before numpy is imported: a fork takes no threads along
    for name in PRELOADED:
        importlib.import_module(name)
    gc.freeze()  # pytest collects garbage five times at its end: not through all of these
    KEPT.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(chosen.jobs) as pool:
        tried = partial(_tried, table["tests"], chosen.limit)
        for line in pool.map(tried, chosen.files):
            print(line, file=sys.stderr, flush=True)
    _report(table, chosen.files)


def _tried(tests, limit, file):
    """Try the faults of one file that have no result yet, in a copy of the tree."""
    from cosmic_ray.mutating import use_mutation
    from cosmic_ray.plugins import get_operator
    from cosmic_ray.work_db import use_db
    from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult

    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, use_db(_database(tests, file)) as database:
        _copy_tree(Path(folder))
        os.chdir(folder)
        if not database.num_work_items:
            _write_down(database, file)
        code, seconds = _run_tests(tests[file], 600, writes=True)
        if code:
            return f"{file}: its tests fail without any fault, status {code}"
        for item in islice(database.pending_work_items, limit):
            (mutation,) = item.mutations
            operator = get_operator(mutation.operator_name)(**mutation.operator_args)
            with use_mutation(Path(file), operator, mutation.occurrence) as (before, after):
                code, _ = _run_tests(tests[file], 30 + 5 * seconds)
            outcome = TestOutcome.KILLED if code else TestOutcome.SURVIVED
            change = _changed(before, after)
            result = WorkResult(WorkerOutcome.NORMAL, test_outcome=outcome, diff=change)
            database.set_result(item.job_id, result)
        return f"{file}: {database.num_results} faults, {time.monotonic() - start:.0f} s"


def _database(tests, file):
    """Return the path of the results of a file as it is, with its tests as they are."""
    sources = [file, *sorted({test.split("::")[0] for test in tests[file]})]
    digest = hashlib.sha256(b"".join((ROOT / path).read_bytes() for path in sources)).hexdigest()
    return str(KEPT / f"{file.replace('/', '.')}.{digest[:12]}.sqlite")


def _copy_tree(folder):
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.decode().split("\0")):
        if name.endswith((".py", ".toml")) and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def _write_down(database, file):
    """Write down the faults of a file, those in declarations left out."""
    from cosmic_ray.commands import init

    init([Path(file)], database, {})
    kept = [
        item for item in database.work_items if OPERATORS.match(item.mutations[0].operator_name)
    ]
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    database.clear()
    database.add_work_items(item for item in kept if not _declares(lines, item.mutations[0]))


def _declares(lines, mutation):
    """Tell whether a fault is in a decorator, a ``*`` between parameters or a ``|`` of types."""
    row, column = mutation.start_pos
    joins = "_BitOr_" in mutation.operator_name
    types = re.match(r"\| *(None|Vector|str)\b", lines[row - 1][column:])
    return lines[row - 1].lstrip().startswith(("@", "*,")) or bool(joins and types)


def _run_tests(tests, limit, *, writes=False):
    """Run tests in a fork; return the exit status, zero if all pass, and the seconds."""
    start = time.monotonic()
    if not (child := os.fork()):
        code = 3
        try:
            code = _in_the_fork(tests, round(limit), writes)
        finally:
            os._exit(code)  # whatever happened: the parent's work is not the child's
    _, status = os.waitpid(child, 0)
    return status, time.monotonic() - start


def _in_the_fork(tests, limit, writes):
    signal.alarm(limit)  # ends the process
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    os.environ["CI"] = "1"  # hypothesis draws the same examples each time
    sys.dont_write_bytecode = not writes  # two faults may leave a file of one size in one second
    sys.path.insert(0, os.getcwd())
    known = "ignore::pytest.PytestAssertRewriteWarning"  # hypothesis is there before it
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-W", known, *tests]))


def _changed(before, after):
    """Return the lines that differ: ``was -> becomes``."""
    pairs = zip(before.splitlines(), after.splitlines(), strict=False)
    return next(f"{a.strip()} -> {b.strip()}" for a, b in pairs if a != b)


def _report(table, files):
    from cosmic_ray.work_db import use_db

    reasons = {(r["file"], r["change"]): r["reason"] for r in table.get("survivors", [])}
    survivors = []
    print("| file | faults | tried | noticed | % |\n| --- | ---: | ---: | ---: | ---: |")
    totals = [0, 0, 0]
    for file in files:
        with use_db(_database(table["tests"], file)) as database:
            results = [result for _, result in database.results]
            counts = database.num_work_items, len(results), sum(r.is_killed for r in results)
        totals = [total + count for total, count in zip(totals, counts, strict=True)]
        survivors += sorted({(file, r.diff) for r in results if not r.is_killed})
        print(_row(f"`{file}`", *counts))
    print(_row("all", *totals))
    for file, change in survivors:
        print(f"- `{file}`: `{change}`. {reasons.get((file, change), 'Not argued yet.')}")


def _row(name, faults, tried, noticed):
    return f"| {name} | {faults} | {tried} | {noticed} | {100 * noticed / max(tried, 1):.0f} |"


if __name__ == "__main__":
    main()

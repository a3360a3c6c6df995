"""Records of many files in one labelled data set: what an analysis starts from.

One dimension, ``run``, over all records; parameters, seed and status are coordinates along it, so
that any tool groups by them::

    import xarray

    found = xarray.open_dataset("all.nc")
    found.n_constraints.where(found.status == "jammed").groupby("pressure").mean()

An array of each run, such as its gaps, has a second dimension as long as the longest of them, and
ends in NaN where a run has fewer. A parameter that a run does not have is NaN, or an empty text.
Each variable has a ``long_name``, and a number its ``units``: `bridge.report.names`.
A number that is named as an option is, such as ``n``, ``load`` or ``pressure``, comes as
``measured_n`` and so on: the coordinate is what was asked for. A table, ``all.csv`` or
``all.parquet``, has a row for each run and the same names, and no arrays.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bridge.landscape.store import TABLES as LANDSCAPE_TABLES
from bridge.records.database import holds
from bridge.records.documents import dumps
from bridge.records.store import Record, Store
from bridge.records.writing import replacing
from bridge.report.landscape_folder import record_of_file
from bridge.report.names import attributes
from bridge.runs.motion import KIND as MOTION
from bridge.runs.registry import kinds
from bridge.systems.registry import option_classes

if TYPE_CHECKING:
    from pandas import DataFrame
    from xarray import Dataset

_COORDINATES = {"system", "status", "sample", "at_transition"}
_EXACT = 2**53  # the largest whole number up to which a float64 holds each
_WRITERS = {".nc": "xarray", ".csv": "pandas", ".parquet": "pyarrow"}


def check(out: Path, paths: Sequence[Path]) -> None:
    """Raise ``ValueError`` in one line if a data set cannot be written there; nothing is read."""
    if out.resolve() in [path.resolve() for path in paths]:
        raise ValueError(f"expected a new file for -o, got one to collect, {out}: name another")
    kind = out.suffix.lower()
    if kind not in _WRITERS:
        names = ", ".join(_WRITERS)
        raise ValueError(f"expected a file to write that ends in {names}, got {out}: rename it")
    if find_spec(_WRITERS[kind]) is None:
        raise ValueError(
            f"expected {_WRITERS[kind]} to write {kind}, got none: pip install 'jamscape[analysis]'"
        )
    if not out.parent.is_dir() or out.is_dir():
        raise ValueError(f"expected a file to write in a folder, got {out}: name another")


def read(paths: Sequence[Path]) -> list[Record]:
    """Return the records of stores, and one for each stored landscape; the same run once.

    Raises
    ------
    ValueError
        If a file is neither, is damaged, or is being written.
    """
    found: dict[str, Record] = {}
    for path in paths:
        for record in _records(path):
            found.setdefault(record.key, record)
    return list(found.values())


def dataset(records: Sequence[Record]) -> "Dataset":
    """Return the records as an xarray data set with the dimension ``run``.

    Raises
    ------
    ValueError
        If there is no record.
    """
    import xarray

    labels, measured = _columns(records)
    arrays = _arrays(records, {*labels, *measured})
    coords = {name: ("run", values) for name, values in labels.items()}
    variables: dict[str, Any] = {name: ("run", values) for name, values in measured.items()}
    about = {"provenance": _provenance(records), "source": "jamscape collect"}
    found = xarray.Dataset(variables | arrays, coords, about)
    for name, variable in found.variables.items():
        plain, asked = str(name).removeprefix("measured_"), name in labels
        number = variable.dtype.kind in "iuf"
        variable.attrs.update(attributes(plain, asked=asked, number=number))
    return found


def table(records: Sequence[Record]) -> "DataFrame":
    """Return the numbers and texts of the records as a pandas table, one row each.

    Raises
    ------
    ValueError
        If there is no record.
    """
    import pandas

    labels, measured = _columns(records)
    return pandas.DataFrame(labels | measured)


def write(records: Sequence[Record], path: Path) -> dict[str, int]:
    """Write the records as the name says: netCDF, or a table; return its dimensions.

    NetCDF is of version 3, which xarray, MATLAB, Julia and R read.
    """
    with replacing(path) as part:
        if path.suffix.lower() == ".nc":
            found = dataset(records)
            found.to_netcdf(part, engine="scipy")
            return {str(name): size for name, size in found.sizes.items()}
        rows = table(records)
        if path.suffix.lower() == ".csv":
            rows.to_csv(part, index=False, encoding="utf-8")
        else:
            rows.to_parquet(part, engine="pyarrow", index=False)
        return {"row": len(rows), "column": len(rows.columns)}


def _records(path: Path) -> Iterable[Record]:
    if holds(path, LANDSCAPE_TABLES):
        return [record_of_file(path)]
    with Store(path, read_only=True) as store:
        return [record for record in store.records() if record.kind != MOTION]


def _columns(
    records: Sequence[Record],
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Return what was asked for, and what was measured, as columns of one type each."""
    if not records:
        raise ValueError("expected at least one record, got none: name files with finished runs")
    labels: dict[str, list[Any]] = {
        "system": [record.kind for record in records],
        "seed": [record.seed[0] for record in records],
        "sample": [record.seed[-1] for record in records],
        "status": [record.status for record in records],
        "key": [record.key for record in records],
    }
    labels |= _rows([record.parameters for record in records], leave_out={"system"})
    measured = _rows([record.data for record in records], leave_out=_COORDINATES)
    measured["seconds"] = [record.seconds for record in records]
    taken = {item.name for kind in option_classes() for item in fields(kind)} | set(labels)
    return (
        {name: _column(values) for name, values in labels.items()},
        {
            f"measured_{name}" if name in taken else name: _column(values)
            for name, values in measured.items()
        },
    )


def _rows(rows: Sequence[Mapping[str, Any]], leave_out: set[str]) -> dict[str, list[Any]]:
    """Return the rows as columns; what a row does not have is None."""
    names = dict.fromkeys(name for row in rows for name in row if name not in leave_out)
    return {name: [row.get(name) for row in rows] for name in names}


def _column(values: Sequence[Any]) -> NDArray[Any]:
    """Return a column of one type that netCDF knows: yes or no, whole numbers, numbers or text."""
    known = [value for value in values if value is not None]
    numbers = all(isinstance(value, bool | int | float) for value in known)
    whole = all(isinstance(value, int) for value in known)
    large = whole and any(abs(value) > _EXACT for value in known)
    if not known or (numbers and not large):
        if len(known) == len(values) and all(type(value) is bool for value in known):
            return np.array(values, dtype=bool)
        fits = whole and all(abs(value) < 2**31 for value in known)
        if len(known) == len(values) and fits:
            return np.array(values, dtype=np.int32)
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    texts = ["" if value is None else _text(value) for value in values]
    return np.array(texts)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else dumps(value, ensure_ascii=False)


def _arrays(records: Sequence[Record], taken: set[str]) -> dict[str, Any]:
    """Return the arrays of all runs, each padded with NaN to the longest.

    An array of the same name as a number is called after its dimension too.
    """
    names = dict.fromkeys(name for record in records for name in record.arrays)
    kept = {name: found for name in names if (found := _dimensions(name, records))}
    lengths = {dimension: 1 for found in kept.values() for dimension in found}  # 0 is not netCDF
    for record in records:
        for name in kept.keys() & record.arrays.keys():
            for dimension, length in zip(kept[name], record.arrays[name].shape, strict=True):
                lengths[dimension] = max(lengths[dimension], length)
    padded: dict[str, Any] = {}
    for name, dimensions in kept.items():
        block = np.full((len(records), *(lengths[d] for d in dimensions)), np.nan)
        for row, record in zip(block, records, strict=True):
            if name in record.arrays:
                values = record.arrays[name]
                row[tuple(slice(length) for length in values.shape)] = values
        shown = f"{dimensions[0]}_{name}" if name in taken else name
        padded[shown] = (("run", *dimensions), block)
    return padded


def _dimensions(name: str, records: Sequence[Record]) -> tuple[str, ...]:
    """Return the dimensions of an array besides ``run``; none if it is not collected.

    One of an experiment, which nobody has named them for, has its own if it is of one kind.
    """
    named = {k: shape for run in kinds().values() for k, shape in run.dimensions.items()}
    shape = named.get(name, named.get(name.partition("_")[0], ()))
    arrays = [record.arrays[name] for record in records if name in record.arrays]
    ndims = {values.ndim for values in arrays}
    if shape is None:
        return ()
    if any(values.dtype.kind not in "biuf" for values in arrays) or len(ndims) > 1 or ndims == {0}:
        culprit = next(record.key for record in records if name in record.arrays)
        raise ValueError(
            f"expected arrays of numbers of one kind for {name}, got {culprit}: collect apart"
        )
    (ndim,) = ndims
    return shape if len(shape) == ndim else tuple(f"{name}_{k}" for k in range(ndim))


def _provenance(records: Sequence[Record]) -> str:
    """Return where the numbers come from: each origin once, as a JSON list."""
    origins = dict.fromkeys(dumps(record.provenance) for record in records)
    return "[" + ", ".join(origins) + "]"

"""Records of many files in one labelled data set: what an analysis starts from.

One dimension, ``run``, over all records; parameters, seed and status are coordinates along it, so
that any tool groups by them::

    import xarray

    found = xarray.open_dataset("all.nc")
    found.n_constraints.where(found.status == "jammed").groupby("pressure").mean()

An array of each run, such as its gaps, has a second dimension as long as the longest of them, and
ends in NaN where a run has fewer. A parameter that a run does not have is NaN, or an empty text.
A number that is named as an option is, such as ``n``, ``load`` or ``pressure``, comes as
``measured_n`` and so on: the coordinate is what was asked for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bridge.database import holds
from bridge.documents import dumps
from bridge.landscape.store import TABLES as LANDSCAPE_TABLES
from bridge.landscape_record import record_of_file
from bridge.landscape_systems import LANDSCAPES
from bridge.store import Record, Store
from bridge.systems import SYSTEMS

if TYPE_CHECKING:
    from xarray import Dataset

# The second dimension of each array; states, as long as a system is large, stay in their files.
DIMENSIONS = {
    "gaps": ("gap",),
    "eigenvalues": ("mode",),
    "eigenvalues_h0": ("mode",),
    "eigenvalues_hp": ("mode",),
    "saddle_ends": ("saddle", "end"),
}
_OPTIONS = {option.name for kind in (*SYSTEMS, *LANDSCAPES) for option in fields(kind)}
_COORDINATES = {"system", "status", "sample", "at_transition"}
_EXACT = 2**53  # the largest whole number up to which a float64 holds each


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
        If there is no record, or xarray is not installed.
    """
    try:
        import xarray
    except ImportError:
        raise ValueError(
            "expected xarray to collect, got none: pip install 'jamscape[analysis]'"
        ) from None
    if not records:
        raise ValueError("expected at least one record, got none: name files with finished runs")
    labels: dict[str, list[Any]] = {
        "system": [record.kind for record in records],
        "seed": [record.seed[0] for record in records],
        "sample": [record.seed[-1] for record in records],
        "status": [record.status for record in records],
        "key": [record.key for record in records],
    }
    parameters = _table([record.parameters for record in records], leave_out={"system"})
    measured = _table([record.data for record in records], leave_out=_COORDINATES)
    measured["seconds"] = [record.seconds for record in records]
    labels |= parameters
    coords = {name: ("run", _column(values)) for name, values in labels.items()}
    variables: dict[str, Any] = {
        f"measured_{name}" if name in _OPTIONS else name: ("run", _column(values))
        for name, values in measured.items()
    }
    attributes = {"provenance": _provenance(records), "source": "jamscape collect"}
    return xarray.Dataset(variables | _arrays(records), coords, attributes)


def write(found: "Dataset", path: Path) -> None:
    """Write a data set as netCDF (version 3), which xarray, MATLAB, Julia and R read."""
    part = path.with_name(path.name + ".part")
    try:
        found.to_netcdf(part, engine="scipy")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _records(path: Path) -> Iterable[Record]:
    if holds(path, LANDSCAPE_TABLES):
        return [record_of_file(path)]
    with Store(path, read_only=True) as store:
        return list(store.records())


def _table(rows: Sequence[Mapping[str, Any]], leave_out: set[str]) -> dict[str, list[Any]]:
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
    return value if isinstance(value, str) else dumps(value)


def _arrays(records: Sequence[Record]) -> dict[str, Any]:
    """Return the arrays of all runs, each padded with NaN to the longest."""
    names = dict.fromkeys(name for record in records for name in record.arrays)
    kept = {name: _dimensions(name) for name in names}
    lengths: dict[str, int] = {}
    for record in records:
        for name, values in record.arrays.items():
            if kept[name] and (values.ndim != len(kept[name]) or values.dtype.kind not in "biuf"):
                raise ValueError(f"expected numbers along {kept[name]} for {name} of {record.key}")
            for dimension, length in zip(kept[name], values.shape, strict=False):
                lengths[dimension] = max(lengths.get(dimension, 0), length)
    found = {}
    for name, dimensions in kept.items():
        if dimensions:
            padded = np.full((len(records), *(lengths[d] for d in dimensions)), np.nan)
            for row, record in zip(padded, records, strict=True):
                if name in record.arrays:
                    values = record.arrays[name]
                    row[tuple(slice(length) for length in values.shape)] = values
            found[name] = (("run", *dimensions), padded)
    return found


def _dimensions(name: str) -> tuple[str, ...]:
    """Return the dimensions of an array besides ``run``; none if it is not collected."""
    point = name.partition("_")[0]
    if point in ("minimum", "saddle") and name not in DIMENSIONS:
        return () if name.endswith("_state") else (point,)
    return DIMENSIONS.get(name, ())


def _provenance(records: Sequence[Record]) -> str:
    """Return where the numbers come from: each origin once, as a JSON list."""
    origins = dict.fromkeys(dumps(dict(record.provenance)) for record in records)
    return "[" + ", ".join(origins) + "]"

"""One state of one system as the page draws it: bodies or gaps, and histograms of eigenvalues."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bridge.figures.comparison import SPECTRUM_LINEAR
from bridge.figures.style import SPECTRA
from bridge.protocols import Indices, Vector
from bridge.records.store import Record
from bridge.report.compact import fractions, logarithms, packed

_BINS = 30  # of the eigenvalues on each side of zero
_ZERO = 1e-11  # eigenvalues below it, in units of the mean, are symmetries and frozen bodies
IMAGES = 7  # periodic images on each side that a pair may reach to


def frames(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return what the page draws of each state, on the axes of all; nothing if it was not kept."""
    unit, edges = _axis(records)
    return [_frame(record, unit, edges) if has_state(record) else {} for record in records]


def has_state(record: Record) -> bool:
    """Tell whether the record keeps the state itself."""
    return "x" in record.arrays


def scales(records: Sequence[Record]) -> dict[str, Any]:
    """Return the axes of a system, the same for all its states.

    ``gap`` holds the ends of the axis of patterns, and the gap up to which it is linear;
    ``spectrum`` is the end of the axis of eigenvalues in ``arsinh`` of the mean one of ``H0``.
    """
    gaps = np.concatenate([[0.0], *(r.arrays["gaps"] for r in records if has_state(r))])
    _, edges = _axis(records)
    low, high = np.quantile(gaps, [0.01, 0.999]).clip([-np.inf, 0.0], [0.0, np.inf])
    linear = 0.25 * high or -0.05 * low or 1.0
    axis = [float(f"{value:.4g}") for value in (low, high, linear)]
    return {"gap": axis, "spectrum": round(float(edges[-1]), 4)}


def _frame(record: Record, unit: float, edges: Vector) -> dict[str, Any]:
    found: dict[str, Any] = {"spectrum": _spectrum(record, unit, edges)}
    if "pairs" not in record.arrays:  # patterns, not bodies
        gaps = _as_counted(record, record.arrays["gaps"])
        return found | {"gaps": packed(np.sort(logarithms(gaps)), "i2"), "counted": gaps.size}
    return found | _scene(record)


def _as_counted(record: Record, gaps: Vector) -> Vector:
    """Return the gaps; what a descent to ``U = 0`` leaves above zero is touching, not violated."""
    return np.minimum(gaps, 0.0) if record.status == "unjammed" else gaps


def _scene(record: Record) -> dict[str, Any]:
    """Return bodies from below to above, and near pairs, those of the backbone first.

    Where no body is held there is no backbone, and all pairs are counted.
    """
    arrays = record.arrays
    box, held = arrays["box"], arrays["held"]
    bodies = arrays["x"].reshape(len(held), -1)
    inside = bodies[:, : box.size] % box
    upward = np.argsort(inside[:, 2], kind="stable") if box.size == 3 else np.arange(len(held))
    place = np.argsort(upward, kind="stable")
    pairs = place[arrays["pairs"].astype(np.intp)]
    backbone = held[arrays["pairs"].astype(np.intp)].all(axis=1)
    counted = backbone if held.any() else np.ones(len(pairs), dtype=bool)
    order = np.argsort(~counted, kind="stable")
    images = arrays["images"][order, :2].astype(int).clip(-IMAGES, IMAGES) + IMAGES
    shapes, shape = np.unique(arrays["shapes"][upward], axis=0, return_inverse=True)
    gaps = _as_counted(record, arrays["pair_gaps"])
    number = "u1" if len(held) <= 256 else "u2"
    angles = bodies[upward, 2] / np.pi % 1.0 if bodies.shape[1] == 3 and box.size == 2 else None
    return _in_space(arrays, inside[upward], upward) | {
        "box": round(float(box[1] / box[0]), 5),
        "shapes": (shapes / box[0]).round(5).tolist(),
        "shape": packed(shape.ravel(), "u2"),
        "x": fractions(inside[upward, 0] / box[0]),
        "y": fractions(inside[upward, 1] / box[1]),
        "angle": None if angles is None else fractions(angles),
        "held": packed(held[upward], "u1"),
        "i": packed(pairs[order, 0], number),
        "j": packed(pairs[order, 1], number),
        **_far(inside[upward, :2] / box[:2], pairs[order], images),
        "gaps": packed(logarithms(gaps[order]), "i2"),
        "counted": int(counted.sum()),
    }


def _far(places: Vector, pairs: Indices, images: Indices) -> dict[str, Any]:
    """Return the image of each pair, unless all are the nearest ones."""
    apart = places[pairs[:, 1]] - places[pairs[:, 0]]
    if (np.abs(apart + images - IMAGES) < 0.49).all():
        return {}
    return {"image": packed(16 * images[:, 0] + images[:, 1], "u1")}


def _in_space(arrays: Mapping[str, Any], inside: Vector, upward: Indices) -> dict[str, Any]:
    """Return what a picture that turns needs besides: depths, and shape matrices of ellipsoids.

    ``solids`` are ``xx, xy, xz, yy, yz, zz`` of each body, in units of ``solid_unit``.
    """
    box = arrays["box"]
    if box.size < 3:
        return {}
    found = {"depth": round(float(box[2] / box[0]), 5), "z": fractions(inside[:, 2] / box[2])}
    if "solids" not in arrays:
        return found
    solids = arrays["solids"][upward] / float(box[0]) ** 2
    unit = float(np.abs(solids).max()) / 32767
    return found | {"solid_unit": unit, "solids": packed(np.rint(solids / unit), "i2")}


def _axis(records: Sequence[Record]) -> tuple[float, Vector]:
    """Return the unit of the eigenvalues and the edges of their bins, even in ``arsinh λ``.

    The unit is the mean eigenvalue of ``H0`` of the jammed state of the lowest load.
    """
    jammed = [r for r in records if r.status == "jammed" and "eigenvalues" in r.arrays]
    unit = float(jammed[0].arrays["eigenvalues_h0"].mean()) if jammed else 1.0
    sizes = [np.abs(r.arrays[name]).max(initial=0.0) for r in jammed for name in SPECTRA]
    end = np.arcsinh(max(sizes, default=unit) / unit / SPECTRUM_LINEAR)
    return unit, np.linspace(-1.0, 1.0, 2 * _BINS + 1) * (1.0 + 1e-9) * end


def _spectrum(record: Record, unit: float, edges: Vector) -> dict[str, Any] | None:
    """Return the counts of each spectrum, exact zeros left out; None if the state is no minimum."""
    if record.status != "jammed" or "eigenvalues" not in record.arrays:
        return None
    counts = {}
    for name in SPECTRA:
        values = record.arrays[name] / unit
        values = np.arcsinh(values[np.abs(values) > _ZERO] / SPECTRUM_LINEAR)
        counts[name] = np.histogram(values, bins=edges)[0].tolist()
    return counts

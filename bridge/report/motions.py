"""Motions as the page plays them: the frames of bodies or of gaps, in the precision of a screen."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bridge.protocols import Vector
from bridge.records.store import Record
from bridge.report.compact import logarithms, packed, rounded
from bridge.report.comparison import in_order
from bridge.runs.motion import KIND
from bridge.systems import load_words

_TURN = np.pi  # of an ellipse, after which it looks the same


def motions(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return each motion that was kept, in the order of a lecture; of one name the first."""
    found: dict[str, Record] = {}
    for record in in_order([record for record in records if record.kind == KIND]):
        found.setdefault(record.data["name"], record)
    return [_motion(record) for record in found.values()]


def _motion(record: Record) -> dict[str, Any]:
    arrays, words = record.arrays, load_words(record.data["load_name"])
    loads, jammed = arrays["frame_load"], arrays["frame_jammed"]
    first = int(np.argmax(jammed)) if jammed.any() else None
    return {
        "name": record.data["name"],
        "load": words.split()[-1],
        "load_words": words,
        "transition": None if first is None else rounded(loads[first]),
        "loads": [rounded(load) for load in loads.tolist()],
        "ratios": [rounded(ratio, 4) for ratio in arrays["frame_ratio"].tolist()],
        "n": arrays["frame_n"].tolist(),
        "violated": arrays["frame_n_constraints"].tolist(),
        "energies": [rounded(energy, 3) for energy in arrays["frame_energy"].tolist()],
        "status": [
            "jammed" if up else "unjammed" if sure else "stalled"
            for up, sure in zip(jammed, arrays["frame_decided"], strict=True)
        ],
        "counts": arrays["frame_count"].tolist(),
        "gaps": packed(logarithms(arrays["gaps"]), "i2"),
    } | (_bodies(arrays) | _modes(arrays) if "bodies" in arrays else _pixels(arrays))


def _bodies(arrays: Any) -> dict[str, Any]:
    """Return places in 16 bits of the box; what moved through a wall is on its other side.

    All bodies of one system have the same shape up to size: ``sizes`` are the short axes of the
    first frame, and ``growth`` the factor of all in each frame.
    """
    bodies, shapes = arrays["bodies"], arrays["shapes"]
    found = {
        "sizes": shapes[0, :, 1].round(5).tolist(),
        "aspect": round(float(shapes[0, 0, 0] / shapes[0, 0, 1]), 5),
        "growth": (shapes[:, 0, 1] / shapes[0, 0, 1]).round(5).tolist(),
        "x": packed(_turned(bodies[..., 0]), "u2"),
        "y": packed(_turned(bodies[..., 1]), "u2"),
        "held": packed(arrays["held"], "u1"),
        "i": packed(arrays["pairs"][:, 0], "u1"),
        "j": packed(arrays["pairs"][:, 1], "u1"),
    }
    return found | (
        {"angle": packed(_turned(bodies[..., 2] / _TURN), "u2")} if bodies.shape[2] == 3 else {}
    )


def _modes(arrays: Any) -> dict[str, Any]:
    """Return the softest motions of each jammed frame: 127 is one diameter, or an angle of 1."""
    if "modes" not in arrays:  # kept before there were any
        return {}
    modes = arrays["modes"][arrays["frame_jammed"]]
    values = arrays["frame_curvatures"].tolist()
    return {
        "modes": packed(np.rint(127 * modes), "i1"),
        "curvatures": [[rounded(value, 3) for value in row] for row in values],
    }


def _pixels(arrays: Any) -> dict[str, Any]:
    """Return the images of patterns, two pixels in a byte and the first in its upper half."""
    if "pixels" not in arrays:
        return {}
    shades = np.rint(arrays["pixels"] / 17.0).astype(np.uint8)
    flat = shades.reshape(len(shades), -1)
    flat = np.pad(flat, ((0, 0), (0, flat.shape[1] % 2)))
    return {
        "image_size": shades.shape[1:],
        "pixels": packed(16 * flat[:, ::2] + flat[:, 1::2], "u1"),
    }


def _turned(values: Vector) -> Vector:
    """Return numbers modulo 1 in 16 bits: 65536 of them are a whole turn."""
    return np.rint(65536 * (values % 1.0)) % 65536

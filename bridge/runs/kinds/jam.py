"""``jamscape jam``: one state of one system."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.runs.run import Found, Run
from bridge.systems.ranges import option
from bridge.systems.system import expect

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from bridge.records.store import Record

LOW_OVERLAP = 1e-6  # per variable: a state that is brought to its transition is unloaded to it
EIGENVALUES = ("eigenvalues", "eigenvalues_h0", "eigenvalues_hp")
_STATE = ("x", "box", "shapes", "solids", "held", "pairs", "pair_gaps", "images", "gap_forces")
_MEASURED = (
    "n_dof", "n_symmetries", "n_frozen", "n", "n_constraints", "n_marginal", "n_isostatic",
    "coordination", "energy", "pressure", "max_residual", "min_force", "smallest_gap",
    "lowest_curvature", "n_kinks",
)  # fmt: skip
MODE_COUNTS = ("negative_modes", "negative_modes_hp", "zero_modes", "bound_holds")


@dataclass(frozen=True)
class JamRun(Run):
    """Bring one system to a minimum and measure it.

    Without ``at_load`` the state is the one that the options of the system ask for. ``name`` is
    that of the record, where it is not the kind of the system.
    """

    command: ClassVar[str] = "jam"
    dimensions: ClassVar[Mapping[str, tuple[str, ...] | None]] = {
        "gaps": ("gap",),
        **dict.fromkeys(EIGENVALUES, ("mode",)),
        **dict.fromkeys(_STATE),
    }

    exact: bool = option(False, "Go to the jamming point.")
    spectrum: bool = option(False, "Diagonalise H.")
    at_load: float | None = option(None, "Minimise a random start at this load instead.")
    at_transition: bool = option(False, "Unload what is jammed until its overlaps are small.")
    energy: str = option("harmonic", "Energy to minimise: harmonic, or linear for Σ max(Δ, 0).")
    name: str | None = None

    def check(self, given: Collection[str] = ()) -> None:
        """Raise ``ValueError`` if it does not fit the system, or two fields that are given."""
        both = [name for name in self.system.sets_load if name in given]
        if self.at_load is not None and both:
            raise ValueError(f"expected at_load or {both[0]}, got both: drop one of them")
        super().check(given)
        if self.exact and self.at_transition:
            raise ValueError("expected exact or at_transition, got both: drop one of them")
        self._check_energy()
        if self.at_load is not None:
            self.system.check_load(self.at_load)
        if self.spectrum or self.energy == "linear":
            from bridge.measure.spectra import check_dense

            check_dense(self.system.n_variables())

    def _check_energy(self) -> None:
        """Refuse an energy that there is not, and what a linear one or the system has not."""
        known = ("harmonic", "linear")
        expect(self.energy in known, f"an energy of {' or '.join(known)}", self.energy, "name one")
        if self.energy == "harmonic":
            return
        self.system.check_linear()
        more = {"exact": self.exact, "at_transition": self.at_transition, "spectrum": self.spectrum}
        for name, asked in more.items():
            expect(not asked, f"the harmonic energy with {name}", self.energy, "drop one of them")

    @property
    def label(self) -> str:
        """The kind of the record: the system."""
        return str(self.system.kind) if self.name is None else self.name

    def chosen(self) -> dict[str, Any]:
        """Return the values of its options, and the overlap down to which it is unloaded.

        The energy is a ``law`` here, for results have an energy too, and only where it is not the
        harmonic one: records that were made before there was another keep their keys.
        """
        options = super().chosen()
        law = options.pop("energy")
        return {
            **options,
            "low_overlap": LOW_OVERLAP if self.at_transition else None,
            **({} if law == "harmonic" else {"law": law}),
        }

    def find(self, rng: "np.random.Generator") -> Found:
        """Bring the system to its state and measure it."""
        from bridge.runs.states import arrays_of_state, data_of_state, measured

        state = measured(
            self.system,
            rng,
            at_load=self.at_load,
            low_overlap=LOW_OVERLAP if self.at_transition else None,
            exact=self.exact,
            with_spectrum=self.spectrum,
            linear=self.energy == "linear",
        )
        data = data_of_state(state, at_transition=self.at_transition)
        return Found(state.state.status, data, arrays_of_state(state), state.seconds)

    @classmethod
    def document(cls, records: "Sequence[Record]") -> dict[str, Any]:
        """Return the document of ``jamscape jam --json``; a key that does not apply is null."""
        record = records[0]
        data, given = record.data, record.parameters
        left_out = {"system", "settings", "low_overlap"}
        named = {name: data[name] for name in ("model_file", "data_file") if name in data}
        return {
            "system": given["system"],
            "seed": record.seed[0],
            "parameters": {name: given[name] for name in given if name not in left_out},
            **named,
            "status": record.status,
            "reason": data["reason"],
            "seconds": record.seconds,
            "load": {"name": data["load_name"], "value": data["load"]},
            **{name: data.get(name) for name in _MEASURED},
            "hessian": _hessian(record),
            "provenance": record.provenance,
        }

    @classmethod
    def text(cls, records: "Sequence[Record]") -> str:
        """Return the same document for reading: a line a number, spectra left out."""
        document = cls.document(records)
        lines = [f"{document['system']}: {document['status']}  {document['reason']}".rstrip()]
        load = document["load"]
        lines.append(f"  {load['name']:16} {load['value']:.8g}")
        for name in (*_MEASURED, "seconds"):
            value = document[name]
            if value is not None:
                lines.append(f"  {name:16} {value:.8g}")
        for name, value in (document["hessian"] or {}).items():
            if not isinstance(value, list):
                lines.append(f"  {name:16} {value}")
        return "\n".join(lines)

    @classmethod
    def figure(cls, records: "Sequence[Record]", data: Path | None = None) -> "Figure":
        """Return the picture of a state with its gaps, kinks and spectra; of many, the comparison.

        A state whose data or model are not at hand has no picture of its problem.
        """
        from bridge.figures.state import state_figure
        from bridge.runs.reopen import reopened

        if len(records) > 1:
            from bridge.runs.kinds.compare import ComparisonPlan

            return ComparisonPlan.figure(records)
        given = set() if data is None else {"data_file"}
        lacking = {name for name in records[0].data if name.endswith("_file")} - given
        return state_figure(records[0], None if lacking else reopened(records[0], data))

    @classmethod
    def owns(cls, record: "Record") -> bool:
        """Tell whether it is a record of a state, be it of a comparison."""
        return {"x", "gaps"} <= record.arrays.keys()

    @classmethod
    def write(cls, records: "Sequence[Record]", folder: Path) -> None:
        """Write ``state.npz``: ``x``, ``gaps``, spectra, and the bodies of a packing."""
        import numpy as np

        from bridge.records.writing import replacing

        with replacing(folder / "state.npz") as part, part.open("wb") as file:
            np.savez(file, allow_pickle=False, **records[0].arrays)


def _hessian(record: "Record") -> dict[str, Any] | None:
    if "eigenvalues" not in record.arrays:
        return None
    counts = {name: record.data[name] for name in MODE_COUNTS}
    return counts | {name: record.arrays[name].tolist() for name in EIGENVALUES}

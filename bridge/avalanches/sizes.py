"""The sizes of many avalanches: their distribution, its cut-off, and how that grows with ``N``.

    P(D) ∝ D^-τ g(D/D_c),    D_c ∝ N^a

Mean field has ``τ = 1`` deep in a marginal phase and ``τ = (3 + θ)/(2 + θ) = 1.41`` at jamming, for
jumps of the stress (Franz, Spigler, Phys. Rev. E 95, 022139, 2017).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bridge.jamming.departure import Exponent
from bridge.measure.power_laws import PowerLaw, fit_power_law
from bridge.protocols import Vector


@dataclass(frozen=True, eq=False)
class Sizes:
    """Avalanches of one system at one size.

    Attributes
    ----------
    n
        Degrees of freedom.
    samples
        Energies lost ``D``, one array for each loading, empty ones included.
    resolution
        Smallest ``D`` that no loading can have missed.
    """

    n: int
    samples: Sequence[Vector]
    resolution: float

    @property
    def resolved(self) -> list[Vector]:
        """The sizes above the resolution, one array a sample."""
        return [drops[drops > self.resolution] for drops in self.samples]

    @property
    def count(self) -> int:
        """How many are above the resolution."""
        return sum(len(drops) for drops in self.resolved)

    def cutoff(self) -> float:
        """Return ``⟨D²⟩/⟨D⟩``, which is proportional to ``D_c`` for ``1 < τ < 2``; NaN if none."""
        return _cutoff(self.resolved)

    def tail(self, resamples: int = 200) -> PowerLaw:
        """Fit ``P(D) ∝ D^-τ`` between resolution and cut-off; its ``exponent`` is ``-τ``."""
        high = self.cutoff()
        if not self.resolution < high:
            reason = f"{self.count} avalanches are above the resolution"
            return PowerLaw.too_few(reason, self.resolution, np.nan, 0, len(self.samples))
        return fit_power_law(self.resolved, high, low=self.resolution, resamples=resamples)


def cutoff_exponent(
    sizes: Sequence[Sizes], resamples: int = 200, rng: np.random.Generator | None = None
) -> Exponent:
    """Fit ``D_c ∝ N^a`` over at least two sizes; the error is that of drawing samples again.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> made = [Sizes(n, [n * rng.random(50) for _ in range(20)], 0.0) for n in (50, 100, 200)]
    >>> fit = cutoff_exponent(made)
    >>> abs(fit.value - 1.0) < 3 * fit.error < 0.2
    True
    """
    rng = np.random.default_rng(0) if rng is None else rng
    used = [one for one in sizes if one.count]
    if len(used) < 2:
        return Exponent(np.nan, np.nan, len(used))
    logs = np.log([one.n for one in used])
    value = float(np.polyfit(logs, np.log([one.cutoff() for one in used]), 1)[0])
    slopes = []
    for _ in range(resamples):
        drawn = [_cutoff(_redrawn(one.resolved, rng)) for one in used]
        if np.isfinite(drawn).all():
            slopes.append(np.polyfit(logs, np.log(drawn), 1)[0])
    error = float(np.std(slopes, ddof=1)) if len(slopes) > 1 else np.nan
    return Exponent(value, error, len(used))


def _cutoff(samples: Sequence[Vector]) -> float:
    drops = np.concatenate(list(samples))
    return float((drops @ drops) / drops.sum()) if len(drops) else np.nan


def _redrawn(samples: Sequence[Vector], rng: np.random.Generator) -> list[Vector]:
    return [samples[i] for i in rng.integers(len(samples), size=len(samples))]

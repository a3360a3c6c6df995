"""The jamming point remembers: compress a packing, take it apart, and it jams elsewhere.

Quasi-static compression from below, then back: both ways pass the same packing fractions, and a
packing that has been squeezed jams later than before.
"""

import numpy as np

from particles import Discs, compress, decompress

dilute = Discs.bidisperse(64, phi=0.80)
jammed = decompress(dilute, dilute.random_state(np.random.default_rng(1)), pressure=1e-5)
phis = np.linspace(jammed.phi, 0.95, 16)

up = compress(jammed.problem, jammed.x, phis)
down = compress(up.problem, up.x, phis[::-1])
print(f"{'φ':>8}{'p up':>12}{'p down':>12}")
for there, back in zip(up.stages[::3], down.stages[::-3], strict=True):
    print(f"{there.phi:8.4f}{there.pressure:12.3e}{back.pressure:12.3e}")

print("φ_J", f"{jammed.phi:.4f}", end="")
for _ in range(3):
    up = compress(jammed.problem, jammed.x, np.linspace(jammed.phi, 0.95, 16))
    jammed = decompress(up.problem, up.x, pressure=1e-5)
    print(f" -> {jammed.phi:.4f}", end="")
print("  after each cycle to 0.95")

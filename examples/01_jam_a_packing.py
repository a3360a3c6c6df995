"""A packing of ellipses, from random positions to the edge of rigidity.

Fewer contacts than degrees of freedom, and yet it is rigid: the missing modes are held by the
prestress alone, so their stiffness vanishes in proportion to the pressure.
"""

import numpy as np

from bridge import observe, spectrum
from particles import Ellipses, decompress

rng = np.random.default_rng(1)
crowded = Ellipses.bidisperse(64, phi=0.94, aspect=1.5)
jammed = decompress(crowded, crowded.random_state(rng), pressure=1e-6)

seen = observe(jammed)
found = spectrum(jammed)
stiff = int((found.eigenvalues > 1e-3).sum())

print(f"status             {jammed.status}")
print(f"packing fraction   {jammed.problem.phi:.4f}")
print(f"rattlers           {seen.n_frozen}")
print(f"contacts           {seen.n_constraints}  (isostatic: {seen.n_isostatic})")
print(f"stiff modes        {stiff}")
print(f"N_-(Hp) <= N_Δ     {found.negative_modes_hp} <= {seen.n_constraints}")

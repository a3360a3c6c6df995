"""Avalanches under slow loading, of any loaded problem: read `bridge.avalanches.loading` first.

`record` says what is kept, `stability` whether a minimum was lost to an instability, `arrival` adds
one constraint after the other, and `sizes` is the statistics of many loadings. `surf` loads the
linear hinge, and jamming points under a `drift` of their gaps, from corner to corner.
"""

from bridge.avalanches.arrival import Together, arrive
from bridge.avalanches.loading import drive
from bridge.avalanches.record import Avalanche, Loading
from bridge.avalanches.surf import Fall, Surfed, surf

__all__ = ["Avalanche", "Fall", "Loading", "Surfed", "Together", "arrive", "drive", "surf"]

"""The jamming point itself, of any loaded problem: `exact_jamming` and its certificate.

Read `bridge.exact.jamming` first; the other files are its steps. `approach` brings a minimum close
to jamming, `linearised` is the problem there to first order, `vertex` and `active_set` solve the
linear program of its load, `isostatic` and `curved` end at the point, `room` moves what carries no
force out of the way, and `certificate` proves the result. `sequential` is the slow and sure way.
"""

from bridge.exact.certificate import Certificate
from bridge.exact.jamming import ExactJamming, exact_jamming

__all__ = ["Certificate", "ExactJamming", "exact_jamming"]

"""The jamming point itself, of any problem that can be tightened: `exact_jamming` and its proof.

Read `bridge.jamming.exact` first; the other files are its steps. `approach` brings a minimum close
to jamming, `linearised` is the problem there to first order, `interior` tells what is active from
within, `vertex` and `active_set` solve the linear program of the load, `isostatic` and `hypostatic`
end at the point, `loose_bodies` moves what carries no force out of the way, and `certificate`
proves the result. `sequential` is the slow and sure way; `departure` follows a system away from its
point.
"""

from bridge.jamming.certificate import Certificate
from bridge.jamming.exact import ExactJamming, exact_jamming

__all__ = ["Certificate", "ExactJamming", "exact_jamming"]

"""Two neighbouring floats as one vector: what gathers and scatters of pairs are made of.

The compiler does not join such loads by itself, and they are half of the time of a force. Every
index is unsigned and within bounds; nothing here checks it.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_TWO = ir.VectorType(ir.DoubleType(), 2)


def _pointer(context, builder, kind, array, index):
    """Return the address of ``array[index]`` as that of two floats."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), _TWO.as_pointer())


@intrinsic
def difference(_, u, i, j, out, k):
    """Set ``out[k : k + 2] = u[j : j + 2] - u[i : i + 2]``."""

    def generate(context, builder, signature, values):
        kinds = signature.args
        first = builder.load(_pointer(context, builder, kinds[0], values[0], values[1]), align=8)
        second = builder.load(_pointer(context, builder, kinds[0], values[0], values[2]), align=8)
        place = _pointer(context, builder, kinds[3], values[3], values[4])
        builder.store(builder.fsub(second, first), place, align=8)
        return context.get_dummy_value()

    return types.void(u, i, j, out, k), generate


@intrinsic
def exchange(_, force, i, j, pulls, k):
    """Take ``pulls[k : k + 2]`` from ``force[i : i + 2]``, and add it to ``force[j : j + 2]``."""

    def generate(context, builder, signature, values):
        kinds = signature.args
        pull = builder.load(_pointer(context, builder, kinds[3], values[3], values[4]), align=8)
        for index, combine in ((values[2], builder.fadd), (values[1], builder.fsub)):
            place = _pointer(context, builder, kinds[0], values[0], index)
            builder.store(combine(builder.load(place, align=8), pull), place, align=8)
        return context.get_dummy_value()

    return types.void(force, i, j, pulls, k), generate

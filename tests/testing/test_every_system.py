"""The conformance suite on every system of the command line: those of the folder, found."""

import numpy as np
import pytest

from bridge import check_landscape, check_problem
from bridge.systems import landscapes, systems


@pytest.mark.parametrize("kind", systems().values(), ids=systems())
def test_every_system_keeps_the_promises_of_a_problem(kind):
    rng = np.random.default_rng(0)
    state = kind(**kind.small).under_load(rng)
    check_problem(state.problem, state.x, rng)


@pytest.mark.parametrize("kind", landscapes().values(), ids=landscapes())
def test_every_landscape_keeps_the_promises_of_one(kind):
    rng = np.random.default_rng(0)
    case = kind(**getattr(kind, "small", {})).case(rng)
    check_landscape(case.problem, case.start(rng), rng)

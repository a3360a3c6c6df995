"""The conformance suite: what must hold for any system, in one call."""

from bridge.testing.suite import check_landscape, check_problem

__all__ = ["check_landscape", "check_problem"]

"""Modules to try things on, as a file of one's own would make them."""

from torch.nn import Flatten, Linear, Module, Sequential, Tanh


def make() -> Module:
    """Return a layer of four tanh units between four inputs and one output."""
    return Sequential(Linear(4, 4), Tanh(), Linear(4, 1))


def digits() -> Module:
    """Return a layer of two tanh units between the 64 pixels of a digit and one output."""
    return Sequential(Flatten(), Linear(64, 2), Tanh(), Linear(2, 1))

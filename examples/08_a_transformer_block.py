"""A transformer block that reads an image of a digit row by row: ten classes, and its symmetries.

Queries and keys may be mixed against each other within a head, and so may values and what reads
them; what a layer norm puts out has the sum zero. The energy does not change along such directions,
and none of them counts as a degree of freedom: 77 of 272 here, by the rank of the outputs' slopes.
This runs in seconds; with --full the transition is found, in five minutes.
"""

import sys

import torch
from sklearn.datasets import load_digits
from torch.nn import Linear, Module, Parameter, TransformerEncoderLayer

from bridge import find_transition, observe
from networks import from_module, train

FULL = "--full" in sys.argv
COUNT, STEPS, NEWTON = (300, 3000, 100) if FULL else (30, 150, 5)


class Reader(Module):
    """Eight rows of eight pixels, each a token: embedding, place, one block, mean, ten outputs."""

    def __init__(self, width=4):
        super().__init__()
        self.embed = Linear(8, width)
        self.place = Parameter(0.1 * torch.randn(8, width))
        self.block = TransformerEncoderLayer(
            width, nhead=2, dim_feedforward=6, dropout=0.0, activation="gelu", batch_first=True
        )
        self.classes = Linear(width, 10)

    def forward(self, rows):
        return self.classes(self.block(self.embed(rows) + self.place).mean(dim=1))


flat, digit = load_digits(return_X_y=True)
rows = ((flat - flat.mean()) / flat.std()).reshape(-1, 8, 8)

if __name__ == "__main__":
    torch.manual_seed(0)
    problem = from_module(Reader(), rows[:COUNT], digit[:COUNT])
    end = train(problem, problem.start, steps=STEPS, newton_steps=NEWTON)
    seen = observe(end)
    print(f"{problem.n_dof} parameters, {seen.n_symmetries} known symmetries, {COUNT} images")
    print(f"{end.status} after {end.steps} steps, N_Δ/N = {seen.constraint_ratio:5.2f}")
    if FULL:
        few = {"low": 0.5, "high": 3.5, "step": 0.5, "samples": 4}
        print(find_transition(Reader, (rows, digit), **few, steps=STEPS, polish=NEWTON))

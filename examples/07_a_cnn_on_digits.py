"""A small convolutional network on images of digits: odd or even by one output, and ten classes.

Of ten classes an image asks that its own output exceeds each of the nine others. The images are
those of scikit-learn, 1797 of 8 x 8. This runs in seconds; with --full networks of 984 and 1416
weights learn 1000 images, in 6 s, and the transitions of smaller ones are found; that of ten
classes takes more than eight minutes. On the command line it goes on where it was:
jamscape transition module 07_a_cnn_on_digits.py:make --data digits --low 2 --high 8
"""

import sys
from functools import partial

import numpy as np
from sklearn.datasets import load_digits
from torch.nn import Conv2d, Flatten, Linear, ReLU, Sequential

from bridge import find_transition, observe
from networks import from_module, train

FULL = "--full" in sys.argv
CHANNELS, COUNT, STEPS = ((8, 12), 1000, 10_000) if FULL else ((2, 2), 50, 200)


def make(first=2, second=2, outputs=10):
    """Two layers of 3 x 3 filters, the second on every other pixel, and a linear one."""
    return Sequential(
        Conv2d(1, first, 3),
        ReLU(),
        Conv2d(first, second, 3, stride=2),
        ReLU(),
        Flatten(),
        Linear(4 * second, outputs),
    )


flat, digit = load_digits(return_X_y=True)
images = ((flat - flat.mean()) / flat.std()).reshape(-1, 1, 8, 8)
odd = np.where(digit % 2 == 1, 1, -1)

if __name__ == "__main__":
    for outputs, y in ((1, odd), (10, digit)):
        problem = from_module(make(*CHANNELS, outputs), images[:COUNT], y[:COUNT])
        end = train(problem, problem.start, steps=STEPS)
        seen = observe(end)
        print(
            f"{outputs:2} outputs, {problem.n_weights} weights, {COUNT} images: {end.status} after "
            f"{end.steps} steps, N_Δ/N = {seen.constraint_ratio:5.2f}, {end.n_kinks} kinks"
        )
    for outputs, y, (low, high) in ((1, odd, (4.0, 14.0)), (10, digit, (2.0, 8.0)))[: 1 + FULL]:
        found = find_transition(
            partial(make, outputs=outputs),
            (images, y),
            low=low if FULL else 0.1,
            high=high if FULL else 4.1,
            step=0.5 if FULL else 4.0,
            samples=6 if FULL else 1,
            steps=STEPS,
            polish=1000 if FULL else 0,
        )
        print(f"{outputs:2} outputs: {found}")

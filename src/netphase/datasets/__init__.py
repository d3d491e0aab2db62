"""Inputs and targets: the built-in sets, and the user's own from files."""

from netphase.datasets.builtin import (
    four_points,
    gaussian,
    mnist,
    polynomial,
    teacher_student,
)
from netphase.datasets.dataset import Dataset
from netphase.datasets.files import from_arrays, from_csv, from_npz
from netphase.datasets.sources import BUILT_IN, load

__all__ = [
    "BUILT_IN",
    "Dataset",
    "four_points",
    "from_arrays",
    "from_csv",
    "from_npz",
    "gaussian",
    "load",
    "mnist",
    "polynomial",
    "teacher_student",
]

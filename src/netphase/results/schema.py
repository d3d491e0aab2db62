"""What a sweep records: its axes and its quantities, how a run becomes a row, and the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self

import msgspec
import numpy as np

from netphase._types import Array, Status
from netphase.errors import ArgumentError

if TYPE_CHECKING:
    import xarray as xr

STATUS_CODES: dict[Status, int] = {
    Status.CONVERGED: 0,
    Status.TIME_REACHED: 1,
    Status.MAX_STEPS: 2,
    Status.STAGNATED: 3,
    Status.DIVERGED: 4,
    Status.NON_FINITE: 5,
}
"""Numbers of the statuses on disk; frozen, new statuses get new numbers."""

NOT_RUN = -1
"""Status code of a run that has not been made."""

DONE_ATTRIBUTES: dict[str, Any] = {
    "long_name": "whether the run is finished and stored",
    "role": "result",
}


class Axis(msgspec.Struct, frozen=True):
    """One dimension of a sweep.

    Attributes:
        name: name of the dimension.
        dtype: type of its values, integers or float64.
        long_name: what it is, in a few words.
    """

    name: str
    dtype: Literal["int64", "float64"]
    long_name: str

    @property
    def attributes(self) -> dict[str, str]:
        """Attributes of the coordinate in a dataset; axes have no units."""
        return labels("1", self.long_name)


class Quantity(msgspec.Struct, frozen=True):
    """One scalar that a run of a sweep leaves.

    Attributes:
        name: name of the variable.
        units: units ("1" where dimensionless).
        long_name: what it is, in a few words.
        provenance: True for wall-clock figures, which differ between two equal runs and are left
            out when results are compared.
    """

    name: str
    units: str
    long_name: str
    provenance: bool = False

    @property
    def attributes(self) -> dict[str, str]:
        """Attributes of the variable in a dataset."""
        role = "provenance" if self.provenance else "result"
        return {**labels(self.units, self.long_name), "role": role}


class Schema(msgspec.Struct, frozen=True, dict=True):
    """The axes of a sweep and what each of its runs leaves, in the order in which they are stored.

    Attributes:
        title: what is swept, in a few words.
        axes: dimensions of every array.
        plane: names of the axes that span the plane; a cell holds the runs along the others.
        quantities: scalars of a run; one of them is the status.

    Example:
        >>> width = Axis("width", "int64", "width m")
        >>> status = Quantity("status", "1", "why the run ended")
        >>> schema = Schema("a line", (width,), ("width",), (status,))
        >>> schema.dataset({"width": (5, 6)}, schema.empty((2,)), {})["done"].values.tolist()
        [False, False]
    """

    title: str
    axes: tuple[Axis, ...]
    plane: tuple[str, ...]
    quantities: tuple[Quantity, ...]

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the axes, in order."""
        return tuple(axis.name for axis in self.axes)

    @cached_property
    def column(self) -> dict[str, int]:
        """Place of each quantity in a row."""
        return {quantity.name: i for i, quantity in enumerate(self.quantities)}

    @property
    def inside(self) -> tuple[int, ...]:
        """Places of the axes along which the runs of one cell lie."""
        return tuple(i for i, name in enumerate(self.dims) if name not in self.plane)

    def axis(self, name: str) -> Axis:
        """The axis of a name."""
        return self.axes[self.dims.index(name)]

    def shape(self, coordinates: Mapping[str, Sequence[float]]) -> tuple[int, ...]:
        """Number of values of each axis."""
        return tuple(len(coordinates[name]) for name in self.dims)

    def values(self, name: str, coordinates: Mapping[str, Sequence[float]]) -> np.ndarray[Any, Any]:
        """The values of an axis in its own type, shape (values,)."""
        return np.asarray(coordinates[name], dtype=self.axis(name).dtype)

    def to_json(self) -> str:
        """The schema as JSON; `from_json` reads it."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The schema of a JSON document made by `to_json`.

        Raises:
            ArgumentError: the text is not such a document.
        """
        try:
            return msgspec.json.decode(text, type=cls)
        except msgspec.MsgspecError as error:
            raise ArgumentError(f"The text is not the JSON of a schema ({error}).") from error

    def empty(self, shape: tuple[int, ...]) -> Array:
        """Rows of runs that were not made: NaN, shape (shape…, quantities)."""
        return np.full((*shape, len(self.quantities)), np.nan)

    def pack(self, scalars: Mapping[str, float | int | str]) -> Array:
        """The scalars of one run as one row of numbers.

        Args:
            scalars: a status (word or `Status`) and any of the quantities; what is missing becomes
                NaN.

        Returns:
            Float64 row, shape (quantities,); integers up to 2⁵³ are exact.

        Raises:
            ArgumentError: a name is unknown, or the status is missing.
        """
        unknown = sorted(set(scalars) - set(self.column))
        if unknown:
            raise ArgumentError(
                f"Argument `scalars` holds {', '.join(unknown)}, which {self.title} does not "
                f"record; known are {', '.join(self.column)}."
            )
        if "status" not in scalars:
            raise ArgumentError("Argument `scalars` must hold the status of the run.")
        row = self.empty(())
        for name, value in scalars.items():
            number = STATUS_CODES[Status(str(value))] if name == "status" else float(value)
            row[self.column[name]] = number
        return row

    def is_done(self, rows: Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which rows hold a finished run (its status is a number).

        Args:
            rows: shape (..., quantities).

        Returns:
            Booleans, shape (...).
        """
        return np.isfinite(rows[..., self.column["status"]])

    def status_codes(self, rows: Array) -> np.ndarray[Any, np.dtype[np.int8]]:
        """Status codes of an array of rows, `NOT_RUN` where there is none, shape (...)."""
        codes = rows[..., self.column["status"]]
        return np.where(np.isfinite(codes), codes, NOT_RUN).astype(np.int8)

    def variables(self, rows: Array) -> dict[str, tuple[np.ndarray[Any, Any], dict[str, Any]]]:
        """Name → (values over the axes, attributes) of everything a sweep has measured.

        Args:
            rows: shape (axes…, quantities), NaN where not run.

        Returns:
            One entry a quantity, the status as int8 codes, and at the end the boolean ``done``.
        """
        table: dict[str, tuple[np.ndarray[Any, Any], dict[str, Any]]] = {}
        for quantity in self.quantities:
            if quantity.name == "status":
                table["status"] = self.status_codes(rows), status_attributes()
            else:
                values = np.ascontiguousarray(rows[..., self.column[quantity.name]])
                table[quantity.name] = values, quantity.attributes
        table["done"] = self.is_done(rows), dict(DONE_ATTRIBUTES)
        return table

    def dataset(
        self,
        coordinates: Mapping[str, Sequence[float]],
        rows: Array,
        attributes: Mapping[str, Any],
    ) -> xr.Dataset:
        """The labelled results of a sweep.

        Args:
            coordinates: values of each of the axes.
            rows: shape (axes…, quantities), NaN where not run.
            attributes: provenance of the sweep.

        Returns:
            Dataset whose dimensions are the axes.
        """
        import xarray as xr

        coords = {
            axis.name: (axis.name, self.values(axis.name, coordinates), axis.attributes)
            for axis in self.axes
        }
        found = {name: (self.dims, *entry) for name, entry in self.variables(rows).items()}
        return xr.Dataset(found, coords=coords, attrs=dict(attributes))


def labels(units: str, long_name: str) -> dict[str, str]:
    """CF attributes of a variable: its units ("1" where dimensionless), and what it is."""
    return {"units": units, "long_name": long_name}


def status_attributes() -> dict[str, Any]:
    """CF attributes of the coded status: ``flag_values`` and ``flag_meanings``."""
    words = [status.value.replace(" ", "_") for status in STATUS_CODES]
    return {
        "long_name": "why the run ended",
        "role": "result",
        "flag_values": [NOT_RUN, *STATUS_CODES.values()],
        "flag_meanings": " ".join(["not_run", *words]),
    }


def comparable(dataset: xr.Dataset) -> xr.Dataset:
    """A sweep's results without what may differ between two equal sweeps.

    Args:
        dataset: labelled results of a sweep.

    Returns:
        The same without the wall-clock variables and without attributes.
    """
    clocks = [str(k) for k, v in dataset.variables.items() if v.attrs.get("role") == "provenance"]
    return dataset.drop_vars(clocks).drop_attrs()


def status_words(codes: Any) -> np.ndarray[Any, np.dtype[np.str_]]:
    """Words for an array of status codes ("not run" where there is none).

    Args:
        codes: integers of any shape, as in the variable ``status``.

    Returns:
        Strings of the same shape.
    """
    words = np.array(["not run", *(status.value for status in STATUS_CODES)])
    return words[np.asarray(codes, dtype=np.int64) + 1]

"""Whose store a folder is: the plan of a sweep, and what makes two plans differ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from netphase.errors import StoreError, StoreMismatchError
from netphase.results import PLANE, Schema, provenance

FORMAT = 1
"""Version of the layout on disk."""

MARK = "netphase_store"
"""Attribute that makes a Zarr group a netphase store; its value is `FORMAT`."""


@dataclass(frozen=True)
class Plan:
    """What a store is made for.

    Attributes:
        schema: axes and quantities.
        sweep_id: content hash of the sweep; two stores with the same one hold the same numbers.
        specification: the sweep as JSON.
        coordinates: values of each axis.
        attributes: further provenance (dtype, method, tolerances, hash of the data, ...).
    """

    schema: Schema
    sweep_id: str
    specification: str
    coordinates: Mapping[str, tuple[float, ...] | tuple[int, ...]]
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each axis, in the order of the schema."""
        return self.schema.shape(self.coordinates)

    def root_attributes(self) -> dict[str, Any]:
        """Attributes of the group: the mark, the sweep and where its numbers come from."""
        return {
            MARK: FORMAT,
            "title": self.schema.title,
            "schema": self.schema.to_json(),
            "sweep_id": self.sweep_id,
            "sweep": self.specification,
            "axes": json.dumps({name: list(self.coordinates[name]) for name in self.schema.dims}),
            **provenance(),
            **self.attributes,
        }


def read_attributes(path: Path) -> dict[str, Any] | None:
    """Attributes of the Zarr group in a folder, or None where there is no Zarr v3 group."""
    try:
        content = json.loads((path / "zarr.json").read_bytes())
        attributes = content["attributes"]
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None
    except OSError as error:
        raise StoreError(
            f"The store {path} cannot be read ({error.strerror}); check its permissions."
        ) from error
    return attributes if isinstance(attributes, dict) else None


def is_store(path: str | Path) -> bool:
    """Whether a folder is a netphase store.

    Args:
        path: any path, existing or not.
    """
    return MARK in (read_attributes(Path(path)) or {})


def store_attributes(path: Path) -> dict[str, Any]:
    """Attributes of a netphase store.

    Args:
        path: folder of the store.

    Raises:
        StoreMismatchError: there is nothing, something else, another layout, or damage.
    """
    attributes = read_attributes(path) or {}
    if MARK not in attributes:
        what = "is not a netphase store" if path.exists() else "does not exist"
        raise StoreMismatchError(
            f"{path} {what}; give the folder that a sweep wrote (its name usually ends in .zarr)."
        )
    if attributes[MARK] != FORMAT:
        raise StoreMismatchError(
            f"The store {path} has layout {attributes[MARK]}, and this netphase reads layout "
            f"{FORMAT}; use the version that wrote it "
            f"({attributes.get('netphase_version', 'unknown')})."
        )
    if missing := sorted({"axes", "sweep", "title"} - attributes.keys()):
        raise StoreMismatchError(
            f"The store {path} does not say its {missing[0]} any more: its zarr.json is damaged. "
            "Put that back, or make the store again."
        )
    return attributes


def schema_of(attributes: Mapping[str, Any]) -> Schema:
    """The axes and quantities of a store; the first stores, which name none, hold the plane's.

    Args:
        attributes: those of the store.
    """
    return Schema.from_json(attributes["schema"]) if "schema" in attributes else PLANE


def check_same(path: Path, attributes: Mapping[str, Any], plan: Plan) -> None:
    """Refuse the store of another sweep, or of another version of the package.

    Args:
        path: folder of the store.
        attributes: its attributes.
        plan: what is to be written into it.

    Raises:
        StoreMismatchError: it says what differs.
    """
    remedy = "choose another output, or give --fresh to replace it."
    if attributes.get("sweep_id") != plan.sweep_id:
        if schema_of(attributes).dims != plan.schema.dims:
            raise StoreMismatchError(
                f"The store {path} holds another kind of sweep ({attributes['title']}): {remedy}"
            )
        changes = differences(str(attributes.get("sweep", "{}")), plan.specification)
        what = "; ".join(changes) or "the content of the data"
        raise StoreMismatchError(f"The store {path} holds another sweep ({what}): {remedy}")
    here = provenance()["netphase_version"]
    there = attributes.get("netphase_version")
    if there != here:
        raise StoreMismatchError(
            f"The store {path} was written by netphase {there}, and this is {here}, whose numbers "
            f"may differ: {remedy}"
        )


def differences(stored: str, asked: str, limit: int = 4) -> list[str]:
    """What differs between two specifications, in words.

    Args:
        stored: JSON of the sweep in the store.
        asked: JSON of the sweep that is to be run.
        limit: most differences to name.

    Returns:
        Phrases such as "`widths` is [100, 200] there and [100] here"; fields that a specification
        leaves out are at their defaults.
    """
    there, here = _flatten(json.loads(stored)), _flatten(json.loads(asked))
    unused = {"base.width", "base.seed"}  # the grid has its own
    known = (there.keys() | here.keys()) - unused
    names = sorted(name for name in known if there.get(name) != here.get(name))
    phrases = [
        f"`{name.removeprefix('base.')}` is {_short(there.get(name))} there and "
        f"{_short(here.get(name))} here"
        for name in names[:limit]
    ]
    if len(names) > limit:
        phrases.append(f"and {len(names) - limit} more")
    return phrases


def _flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    """Nested objects as one table with dotted names; lists stay whole."""
    if not isinstance(value, dict):
        return {prefix: value}
    table: dict[str, Any] = {}
    for name, entry in value.items():
        table |= _flatten(entry, f"{prefix}.{name}" if prefix else name)
    return table


def _short(value: Any) -> str:
    """A value for a sentence, cut in the middle when long."""
    text = "the default" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:36]} … {text[-20:]}"

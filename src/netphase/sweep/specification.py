"""What specifications of grids share: JSON there and back."""

from __future__ import annotations

import json
from typing import Self

import msgspec

from netphase.experiment import from_json, to_builtins


class GridSpecification(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen specification of a grid of runs, equal to another if all fields are."""

    def to_json(self) -> str:
        """The sweep as JSON; `from_json` reads it."""
        return json.dumps(to_builtins(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The sweep of a JSON document made by `to_json`.

        Raises:
            ArgumentError: the text is not such a document.
        """
        return from_json(text, cls)

"""Kinds of option values: lists and ranges of numbers, widths, seeds, and folders to write to."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

import click

MOST = 10_000
"""Longest list an option may spell out."""


class Numbers(click.ParamType[Any]):
    """Numbers as "start:stop:step" (both ends included), a comma-separated list, or a mix."""

    name = "list"
    example = "0.6:1.4:0.1 or 0.6,0.8,1"

    def get_metavar(
        self,
        param: click.Parameter,  # noqa: ARG002
        ctx: click.Context,  # noqa: ARG002
    ) -> str:
        """What the help calls the value."""
        return "LIST"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Text to increasing numbers without repetitions."""
        if isinstance(value, tuple):
            return value
        found: list[Decimal] = []
        for piece in str(value).replace("−", "-").split(","):
            found += self._range(piece, param, ctx)
        return tuple(float(x) for x in sorted(set(found)))

    def _range(
        self, piece: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[Decimal]:
        parts = [self._number(text, piece, param, ctx) for text in piece.split(":")]
        if len(parts) == 1:
            return parts
        if len(parts) != 3:
            self.fail(
                f"{piece!r} is no range; write start:stop:step, as in 0.6:1.4:0.1.", param, ctx
            )
        start, stop, step = parts
        if step <= 0 or stop < start:
            self.fail(
                f"{piece!r} is no range; it must go up in positive steps, as in 0.6:1.4:0.1.",
                param,
                ctx,
            )
        if (stop - start) / step >= MOST:
            self.fail(f"{piece!r} holds more than {MOST} values; use a larger step.", param, ctx)
        return [start + k * step for k in range(int((stop - start) / step) + 1)]

    def _number(
        self, text: str, piece: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        try:
            number = Decimal(text.strip())
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or not math.isfinite(float(number)):
            what = (
                f"{text.strip()!r} is not a finite number"
                if text.strip()
                else "a number is missing"
            )
            self.fail(f"{what} in {piece!r}; write {self.example}.", param, ctx)
        return number


class Exponents(Numbers):
    """Numbers with commas, kept in their order with repetitions: one a layer."""

    example = "0,0.5,0.5"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Text to numbers."""
        if isinstance(value, tuple):
            return value
        pieces = str(value).replace("−", "-").split(",")
        return tuple(float(self._number(each, str(value), param, ctx)) for each in pieces)


class LogNumbers(Numbers):
    """Positive numbers as "from:to:count" with even ratios, a comma-separated list, or a mix."""

    example = "1e-4:1e-12:5 or 1e-4,1e-8"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Text to increasing positive numbers without repetitions."""
        numbers = super().convert(value, param, ctx)
        if numbers[0] <= 0.0:
            self.fail(f"all must be larger than 0, but {numbers[0]:g} is not.", param, ctx)
        return numbers

    def _range(
        self, piece: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[Decimal]:
        parts = [self._number(text, piece, param, ctx) for text in piece.split(":")]
        if len(parts) == 1:
            return parts
        if len(parts) != 3 or parts[2] != int(parts[2]) or not 2 <= parts[2] <= MOST:
            self.fail(
                f"{piece!r} is no range; write from:to:count with a count from 2 to {MOST}, as in "
                "1e-4:1e-12:5.",
                param,
                ctx,
            )
        first, last, count = parts[0], parts[1], int(parts[2])
        if first <= 0 or last <= 0 or first == last:
            self.fail(
                f"{piece!r} is no range; its ends must be positive and different, as in "
                "1e-4:1e-12:5.",
                param,
                ctx,
            )
        share = [Decimal(k) / (count - 1) for k in range(count)]
        return [round_to_digits(first * (last / first) ** each) for each in share]


def round_to_digits(number: Decimal) -> Decimal:
    """A number to twelve digits, so that what should be a power of ten is one."""
    return Decimal(f"{number:.11e}")


class WholeNumbers(Numbers):
    """Whole numbers, at least ``least``, as a list or as ranges (step 1 if left out)."""

    def __init__(self, least: int | None, example: str, most: float = 2**53) -> None:
        self.least = least
        self.example = example
        self.most = most

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Text to increasing whole numbers without repetitions."""
        if isinstance(value, tuple):
            return value
        pieces = [p + ":1" if p.count(":") == 1 else p for p in str(value).split(",")]
        numbers = super().convert(",".join(pieces), param, ctx)
        for number in numbers:
            low = self.least is not None and number < self.least
            if number != int(number) or low or abs(number) > self.most:
                bound = "" if self.least is None else f" of at least {self.least}"
                self.fail(
                    f"{number:g} is not a whole number{bound}; write for example {self.example}.",
                    param,
                    ctx,
                )
        return tuple(int(number) for number in numbers)


class Real(click.ParamType[Any]):
    """One finite number, perhaps bounded, or one of some words."""

    name = "number"
    words: ClassVar[tuple[str, ...]] = ()

    def __init__(self, above: float | None = None, below: float | None = None) -> None:
        self.above = above
        self.below = below

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Text to a number inside the bounds, or a word as it is."""
        if value in self.words:
            return value
        try:
            number = float(str(value).replace("−", "-"))
        except ValueError:
            words = f"neither a number nor {' or '.join(self.words)}"
            self.fail(f"{value!r} is {words if self.words else 'not a number'}.", param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        if self.above is not None and number <= self.above:
            self.fail(f"it must be larger than {self.above:g}, but is {number:g}.", param, ctx)
        if self.below is not None and number >= self.below:
            self.fail(f"it must be smaller than {self.below:g}, but is {number:g}.", param, ctx)
        return number


class StepSize(Real):
    """A positive learning rate, or a policy that chooses it."""

    words = ("auto", "stable")


class Scalings(Numbers):
    """Scalings κ = m^(−γ) of a network's output: names or values of γ, with commas."""

    names: ClassVar[dict[str, str]] = {"conventional": "0", "mean_field": "1"}

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Text to increasing values of γ."""
        if isinstance(value, tuple):
            return value
        pieces = [piece.strip() for piece in str(value).split(",")]
        for word in pieces:
            if word[:1].isalpha() and word not in self.names:
                self.fail(
                    f"{word!r} is no scaling; give conventional, mean_field, or γ as a number.",
                    param,
                    ctx,
                )
        return super().convert(",".join(self.names.get(w, w) for w in pieces), param, ctx)


NUMBERS = Numbers()
LOG_NUMBERS = LogNumbers()
EXPONENTS = Exponents()
SCALINGS = Scalings()
SAMPLES = WholeNumbers(1, "50,100,200")
WIDTHS = WholeNumbers(1, "1000,5000,10000", most=math.inf)
SEEDS = WholeNumbers(None, "0,1,2 or 0:4")
POSITIVE = Real(above=0.0)
FRACTION = Real(above=0.0, below=1.0)
REAL = Real()

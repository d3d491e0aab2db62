"""Polynomials of several variables, read from a line of text into Hermite polynomials."""

from __future__ import annotations

import ast
import math
import re
from itertools import product
from typing import TypeAlias

from netphase.errors import ArgumentError

Exponent: TypeAlias = tuple[int, ...]
Terms: TypeAlias = dict[Exponent, float]
"""Coefficients of Π_j He_(α_j)(z_j): products of them have whole coefficients, so that z1*z1 − 1 is
exactly √2 h2(z1)."""

MOST_VARIABLES, MOST_DEGREE, MOST_TERMS = 64, 64, 20_000
_LONGEST = 2000
_FORM = "a polynomial of z1, z2, … such as 'z1 + 0.5*z1*z2 + h2(z3)'"


def parse(text: str) -> Terms:
    """Coefficients of products of normalised Hermite polynomials.

    Args:
        text: sums, differences, products, whole powers and quotients by numbers of z1, z2, …,
            numbers and h2(z1), the normalised Hermite polynomial; ``z`` is z1.

    Returns:
        c_α of Π_j h_(α_j)(z_j), with as many exponents as variables.

    Raises:
        ArgumentError: the text is none of it, or too long, or of too high a degree.

    Example:
        >>> parse("z1 + 2*z1*z2")
        {(1, 0): 1.0, (1, 1): 2.0}
    """
    source = text.strip().replace("^", "**")
    limits = f"it may have {_LONGEST} letters and variables z1 to z{MOST_VARIABLES}"
    if len(source) > _LONGEST:
        raise _refusal(text, limits)
    try:
        tree = ast.parse(source, mode="eval").body
        # from the tree: it reads letters of other alphabets as plain ones
        variables = max((_number(each) for each in ast.walk(tree)), default=1)
        if variables > MOST_VARIABLES:
            raise _refusal(text, limits)
        found = _Reader(text, max(1, variables)).read(tree)
    except ArgumentError:
        raise
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        raise _refusal(text, "it cannot be read") from None
    scaled = {
        alpha: float(c * math.sqrt(math.prod(map(math.factorial, alpha))))
        for alpha, c in found.items()
        if c != 0
    }
    if not all(map(math.isfinite, scaled.values())):
        raise _refusal(text, "a coefficient is not finite")
    return scaled


def _refusal(text: str, why: str) -> ArgumentError:
    shown = text if len(text) <= 60 else text[:57] + "..."
    return ArgumentError(f"Argument `target` must be {_FORM}, but is {shown!r}: {why}.")


def _number(node: ast.AST) -> int:
    """Which variable a name is, from 1; 0 if it is none."""
    found = re.fullmatch(r"z(\d*)", node.id) if isinstance(node, ast.Name) else None
    return int(found[1] or 1) if found else 0


class _Reader:
    """Turns a syntax tree into terms; anything that is no polynomial is refused.

    Args:
        text: for the message.
        variables: p.
    """

    def __init__(self, text: str, variables: int) -> None:
        self.text, self.zero = text, (0,) * variables

    def read(self, node: ast.expr) -> Terms:
        """The terms of an expression."""
        if isinstance(node, ast.Constant):
            number = node.value
            if isinstance(number, (int, float)) and not isinstance(number, bool):
                return {self.zero: float(number)}
        if isinstance(node, ast.Name):
            return {self._unit(node, 1): 1.0}
        if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
            return self._hermite(node.func, node.args[0])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.UAdd, ast.USub)):
            sign = -1.0 if isinstance(node.op, ast.USub) else 1.0
            return {alpha: sign * c for alpha, c in self.read(node.operand).items()}
        if isinstance(node, ast.BinOp):
            return self._binary(node)
        raise _refusal(self.text, f"'{ast.unparse(node)}' is no part of a polynomial")

    def _binary(self, node: ast.BinOp) -> Terms:
        left, right = self.read(node.left), self.read(node.right)
        if isinstance(node.op, (ast.Add, ast.Sub)):
            sign = 1.0 if isinstance(node.op, ast.Add) else -1.0
            return _plus(left, {alpha: sign * c for alpha, c in right.items()})
        if isinstance(node.op, ast.Mult):
            return self._times(left, right)
        number = right.get(self.zero, 0.0)
        if set(right) == {self.zero}:
            if isinstance(node.op, ast.Div) and number != 0:
                return {alpha: c / number for alpha, c in left.items()}
            if isinstance(node.op, ast.Pow) and number in range(MOST_DEGREE + 1):
                found: Terms = {self.zero: 1.0}
                for _ in range(int(number)):
                    found = self._times(found, left)
                return found
        raise _refusal(self.text, f"'{ast.unparse(node)}' is no part of a polynomial")

    def _hermite(self, function: ast.expr, argument: ast.expr) -> Terms:
        name = function.id if isinstance(function, ast.Name) else ""
        if not re.fullmatch(r"h\d{1,2}", name) or not isinstance(argument, ast.Name):
            raise _refusal(self.text, "functions are h0, h1, h2, … of one variable")
        k = int(name[1:])
        if k > MOST_DEGREE:
            raise _refusal(self.text, f"degrees go up to {MOST_DEGREE}")
        return {self._unit(argument, k): 1.0 / math.sqrt(math.factorial(k))}

    def _unit(self, node: ast.Name, power: int) -> Exponent:
        which = _number(node)
        if which < 1:
            raise _refusal(self.text, f"'{node.id}' is none of z1, z2, …")
        return tuple(power if j == which - 1 else 0 for j in range(len(self.zero)))

    def _times(self, left: Terms, right: Terms) -> Terms:
        if len(left) * len(right) > MOST_TERMS:
            raise _refusal(self.text, "it has too many terms")
        found: Terms = {}
        for (alpha, a), (beta, b) in product(left.items(), right.items()):
            if sum(alpha) + sum(beta) > MOST_DEGREE:
                raise _refusal(self.text, f"degrees go up to {MOST_DEGREE}")
            for each in product(*map(_products, alpha, beta)):
                gamma = tuple(k for k, _ in each)
                found[gamma] = found.get(gamma, 0.0) + a * b * math.prod(c for _, c in each)
        return found


def _plus(left: Terms, right: Terms) -> Terms:
    found = dict(left)
    for alpha, c in right.items():
        found[alpha] = found.get(alpha, 0.0) + c
    return found


def _products(i: int, j: int) -> list[tuple[int, int]]:
    """He_i He_j = Σ_k k! C(i, k) C(j, k) He_(i+j−2k): degrees and coefficients."""
    return [
        (i + j - 2 * k, math.factorial(k) * math.comb(i, k) * math.comb(j, k))
        for k in range(min(i, j) + 1)
    ]

"""Options that choose how the training equation is advanced, and the method they describe."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from netphase.cli.values import POSITIVE, StepSize

if TYPE_CHECKING:
    from netphase.dynamics import Descent, Flow

Function = TypeVar("Function", bound=Callable[..., Any])


def method_options(function: Function) -> Function:
    """The options --method, --learning-rate and --accuracy."""
    for option in reversed(
        (
            click.option(
                "--method",
                type=click.Choice(["descent", "flow"]),
                default="descent",
                show_default=True,
                help="Full-batch gradient descent, or gradient flow with error control.",
            ),
            click.option(
                "--learning-rate",
                type=StepSize(above=0.0),
                metavar="NUMBER|auto",
                help="Step of the descent on the normalised clock; default: auto.",
            ),
            click.option(
                "--accuracy",
                type=POSITIVE,
                help="Accuracy of the integration: relative error of the change of the weights "
                "(automatic descent), or of a step (flow).",
            ),
        )
    ):
        function = option(function)
    return function


def chosen_method(options: dict[str, Any]) -> Descent | Flow:
    """The method the options describe.

    Args:
        options: values of `method_options`.

    Returns:
        The method.

    Raises:
        click.UsageError: the options contradict each other.
        ArgumentError: a value is outside its domain.
    """
    from netphase.dynamics import Descent, Flow

    rate, wanted = options["learning_rate"], options["accuracy"]
    if options["method"] == "flow":
        if rate is not None:
            raise click.UsageError("--learning-rate is for --method descent; a flow has none.")
        return Flow() if wanted is None else Flow(rtol=wanted)
    if rate not in (None, "auto"):
        if wanted is not None:
            raise click.UsageError(
                "--accuracy chooses the steps of the automatic descent; give it or a "
                "--learning-rate, not both."
            )
        return Descent(learning_rate=rate)
    return Descent() if wanted is None else Descent(tolerance=wanted)

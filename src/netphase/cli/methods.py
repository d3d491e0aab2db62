"""Options that choose how the training equation is advanced, and the method they describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from netphase.cli.options import Decorator, joined
from netphase.cli.values import POSITIVE, StepSize

if TYPE_CHECKING:
    from netphase.dynamics import Adam, Descent, Flow


def method_options_with(default: str) -> Decorator:
    """The options --method, --learning-rate and --accuracy.

    Args:
        default: the method that is used if none is asked for.

    Returns:
        A decorator of commands.
    """
    return joined(
        click.option(
            "--method",
            type=click.Choice(["descent", "flow", "adam"]),
            default=default,
            show_default=True,
            help="Full-batch gradient descent, gradient flow with error control, or Adam "
            "(for single networks).",
        ),
        click.option(
            "--learning-rate",
            type=StepSize(above=0.0),
            metavar="NUMBER|auto|stable",
            help="Step of the descent on the normalised clock; stable: half the limit of "
            "stability; default: auto, which follows the gradient flow. Rate of Adam in "
            "the raw weights; default: 0.001.",
        ),
        click.option(
            "--accuracy",
            type=POSITIVE,
            help="Accuracy of the integration: relative error of the change of the weights "
            "(automatic descent), or of a step (flow).",
        ),
    )


method_options = method_options_with("descent")


def chosen_method(options: dict[str, Any], single: bool = False) -> Descent | Flow | Adam:
    """The method the options describe.

    Args:
        options: values of `method_options`.
        single: whether one network is trained, which may be done by Adam.

    Returns:
        The method.

    Raises:
        click.UsageError: the options contradict each other, or Adam is asked for where exponents
            in the width are wanted.
        ArgumentError: a value is outside its domain.
    """
    from netphase.dynamics import Descent, Flow

    rate, wanted = options["learning_rate"], options["accuracy"]
    if options["method"] == "adam":
        return _adam(rate, wanted, single)
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


def _adam(rate: float | str | None, accuracy: float | None, single: bool) -> Adam:
    """Adam with the rate that was asked for."""
    from netphase.dynamics import Adam

    if not single:
        raise click.UsageError(
            "--method 'adam' is not for the plane: Adam moves every weight by about its learning "
            "rate a step, however small the gradient, so that its steps follow no clock that "
            "networks of all widths share. Use descent or flow; `netphase train` and `netphase "
            "condense` know adam."
        )
    if accuracy is not None:
        raise click.UsageError("--accuracy is for descent and flow; Adam follows no equation.")
    if isinstance(rate, str):
        raise click.UsageError(
            f"--learning-rate {rate} is for --method descent; Adam needs a number, as in 0.001."
        )
    return Adam() if rate is None else Adam(learning_rate=rate)

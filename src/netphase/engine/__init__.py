"""The engine: advances one two-layer network; compiled where it counts, NumPy elsewhere."""

from typing import Any

from netphase.engine.adam import Moments, descend_adam
from netphase.engine.descent import descend, descend_auto, descend_stable
from netphase.engine.explicit import flow_explicit
from netphase.engine.flow import flow_rosenbrock
from netphase.engine.history import GIVE_UP
from netphase.engine.problem import Outcome, Problem, Records, Stop

__all__ = [
    "Moments",
    "Outcome",
    "Problem",
    "Records",
    "Stop",
    "build_info",
    "descend",
    "descend_adam",
    "descend_auto",
    "descend_stable",
    "flow_explicit",
    "flow_rosenbrock",
    "request_stop",
]


def build_info() -> dict[str, Any]:
    """Instruction set in use, those available, the compiler, and the number of hardware threads."""
    from netphase.engine import _core

    return dict(_core.build_info())


def request_stop(stop: bool = True) -> None:
    """Asks every run of this process to give up (they raise KeyboardInterrupt).

    Args:
        stop: True to ask, False to allow runs again.
    """
    from netphase.engine import _core

    _core.request_stop(stop)
    if stop:
        GIVE_UP.set()
    else:
        GIVE_UP.clear()

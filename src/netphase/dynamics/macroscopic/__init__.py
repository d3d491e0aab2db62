"""The closed equation of the whole linear stage, from the first step to the first plateau."""

from netphase.dynamics.macroscopic.comparator import MacroscopicDynamics
from netphase.dynamics.macroscopic.limit import (
    BreakdownTime,
    MacroscopicLimit,
    WindowLaw,
    breakdown_time,
    macroscopic_limit,
    window_law,
)
from netphase.dynamics.macroscopic.plane import MacroscopicPlane, macroscopic_plane

__all__ = [
    "BreakdownTime",
    "MacroscopicDynamics",
    "MacroscopicLimit",
    "MacroscopicPlane",
    "WindowLaw",
    "breakdown_time",
    "macroscopic_limit",
    "macroscopic_plane",
    "window_law",
]

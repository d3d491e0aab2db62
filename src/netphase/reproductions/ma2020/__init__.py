"""Quenching and activation of neurons: Ma, Wu & E (2020)."""

from __future__ import annotations

from netphase.reproductions.reproduction import Part, Reproduction

DEPARTURES = (
    "The text of the paper could not be had. Inputs and numbers are taken from the authors' "
    "published code and from figures that they show elsewhere; figures are numbered here by "
    "subject, and tolerances say how well a number could be read.",
)

PARTS: tuple[Part, ...] = ()

REPRODUCTION = Reproduction(
    key="ma2020",
    reference=(
        "C. Ma, L. Wu, W. E, The quenching-activation behavior of the gradient descent dynamics "
        "for two-layer neural network models, arXiv 2006.14450, 2020"
    ),
    parts=PARTS,
    departures=DEPARTURES,
)
"""What `netphase.reproductions.get("ma2020")` returns."""

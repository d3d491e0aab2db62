"""On which directions neurons will condense, predicted from data and activation alone."""

from netphase.directions.escape import Escape, escape, escape_times
from netphase.directions.expansion import Expansion, expansion
from netphase.directions.landscape import Landscape
from netphase.directions.prediction import DirectionPrediction, predicted_directions

__all__ = [
    "DirectionPrediction",
    "Escape",
    "Expansion",
    "Landscape",
    "escape",
    "escape_times",
    "expansion",
    "predicted_directions",
]

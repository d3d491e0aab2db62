"""Networks that activate few of their neurons and quench the rest, beside their frozen twins."""

from netphase.quenching.ablation import ablate
from netphase.quenching.running import quench
from netphase.quenching.setting import Setting

__all__ = ["Setting", "ablate", "quench"]

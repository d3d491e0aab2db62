"""F8 and F11: how networks of m neurons approach the mean field, and when they lose the stages.

The exact equations hold the self-term −(a_i/mε)(U(1) − U(s_i²)), which the mean field lacks. It
draws output weights together at the rate ‖σ_(k≥1)‖²/(mε), and degrees from the first on need them
apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from netphase._types import Array
from netphase.analysis import PowerLawFit, fit_power_law
from netphase.dynamics import ExactOverlaps, MeanFieldOverlaps, OverlapTrajectory
from netphase.observables import last_crossing
from netphase.reproductions.berthier2023 import setting
from netphase.reproductions.berthier2023.finite_figures import Approach, Delay, approach, delays
from netphase.reproductions.check import Check, at_least, at_most, close, every, untested
from netphase.reproductions.reproduction import Size, Stage
from netphase.reproductions.runs import in_parallel

LAW = "uniform"
"""P_A: uniform of variance 1, at its quantiles (i + ½)/m; so the printed risks were made."""

WIDTHS: dict[Size, tuple[int, ...]] = {
    "smoke": (50, 100, 200, 400),
    "small": (50, 100, 200, 400, 800),
    "paper": (50, 100, 200, 400, 800, 1600, 3200),
}
EPSILONS = (1e-2, 1e-3)

READ = 0.1
"""Time at which risks are compared."""

PRINTED = {
    (1e-2, 50): 0.640,
    (1e-2, 100): 0.581,
    (1e-2, 200): 0.542,
    (1e-2, 400): 0.520,
    (1e-3, 200): 0.297,
}
"""(ε, m) → R(0.1) of the exact equations: derived, three digits."""

PRINTED_LIMIT = {1e-2: 0.496, 1e-3: 0.086}
"""ε → R(0.1) of the mean field: derived, three digits."""

DIGITS, RTOL = 1e-3, 1e-5
WIDE = 4.0
"""Widths of at least so many ε^(−1/2) log(1/ε) follow the power 1/m; below higher ones count."""

SLOPE_WITHIN = 0.1

DELAY_WIDTHS: dict[Size, tuple[int, ...]] = {
    "smoke": (10, 40, 160),
    "small": (10, 20, 40, 80, 160, 320),
    "paper": (10, 20, 40, 80, 160, 320, 640),
}
DELAY_EPSILONS: dict[Size, tuple[float, ...]] = {
    "smoke": (1e-3, 1e-4),
    "small": (1e-2, 1e-3, 1e-4, 1e-5),
    "paper": (1e-2, 1e-3, 1e-4, 1e-5, 1e-6),
}
DELAY_ROWS = 40
LONGEST = 2.0
"""Times from half of t_1 of the mean field to here; without spread degree 1 takes about ½."""

NARROW, EARLY = 40, 0.05
"""The width at which plateaus are gone for ε ≤ 1e-3, and where the risk there is printed."""

NARROW_RISK = 0.77
"""R(0.05) at m = 40, ε ≤ 1e-3: derived, two digits."""


@dataclass(frozen=True)
class Case:
    """One width at one ε beside the mean field of the same atoms.

    Attributes:
        run: the exact equations, with the state at `READ`.
        risk: R(0.1) there.
        limit: R(0.1) of the mean field.
        spread: root mean square of r_ij − s_i s_j, i ≠ j, at that time.
    """

    run: OverlapTrajectory
    risk: float
    limit: float
    spread: float


def run_approach(stage: Stage) -> list[Check]:
    """R and r − s sᵀ against m, to be held against the mean field and its 1/m correction."""
    widths = WIDTHS[stage.size]
    cases = [(epsilon, width) for epsilon in EPSILONS for width in widths]
    stage.progress("exact equations at several widths")
    table = dict(zip(cases, in_parallel(_case, cases), strict=True))
    panels = {epsilon: _panel(table, epsilon, widths) for epsilon in EPSILONS}
    stage.save(approach(panels), "figure8_11")
    return [*_printed(table), *_slopes(table, widths)]


def run_delays(stage: Stage) -> list[Check]:
    """How much later than in the mean field degree 1 is learnt, against m and ε."""
    widths, epsilons = DELAY_WIDTHS[stage.size], DELAY_EPSILONS[stage.size]
    cases = [(epsilon, width) for epsilon in epsilons for width in widths]
    stage.progress("learning times at several widths")
    found = dict(zip(cases, in_parallel(_delay, cases), strict=True))
    stage.save(delays(found), "figure8_delay")
    return [*_rule(found), *_wiped_out(found)]


def degree_one_time_of(width: float, epsilon: float) -> float:
    """t_1 at a finite width, for the base case with variance 1, to leading order in ε.

    Degree 1 grows from the spread of the output weights, δa, and the self-term adds friction,

        √ε δa′ = −2q √ε δa + s,  s′ = √ε δa,  q = ‖σ_(k≥1)‖²/(2 m √ε |σ_1 φ_1|),

    in the time |σ_1 φ_1| t/√ε. The growing rate falls from 1 to λ = √(1 + q²) − q, and with it

        t_1 = √ε/(2 λ |σ_1 φ_1|) log(4 |φ_1/σ_1| (1 + q²)/(λ √ε)).

    Args:
        width: m; infinite for the mean field, where this is `degree_one_time`.
        epsilon: ε.

    Returns:
        The time.
    """
    sigma, phi = np.array(setting.SIGMA), np.array(setting.PHI)
    rate, reach = abs(float(sigma[1] * phi[1])), abs(float(phi[1] / sigma[1]))
    root = math.sqrt(epsilon)
    q = float(np.sum(sigma[1:] ** 2)) / (2 * width * root * rate)
    growth = math.hypot(1.0, q) - q
    return root / (2 * growth * rate) * math.log(4 * reach * (1 + q * q) / (growth * root))


def _case(case: tuple[float, int]) -> Case:
    epsilon, width = case
    dynamics = ExactOverlaps(setting.SIGMA, setting.PHI, epsilon)
    start = dynamics.initial(width, outputs=LAW, stratified=True)
    found = dynamics.solve(start, [READ], rtol=RTOL)
    limit = _mean_field(epsilon, start.a).solve(times=[READ]).risk[-1]
    apart = found.r[-1] - np.outer(found.s[-1], found.s[-1])
    np.fill_diagonal(apart, 0.0)
    spread = math.sqrt(float(np.sum(apart**2)) / (width * (width - 1)))
    return Case(found, float(found.risk[-1]), float(limit), spread)


def _mean_field(epsilon: float, atoms: Array) -> MeanFieldOverlaps:
    return MeanFieldOverlaps(epsilon, np.array(setting.SIGMA), np.array(setting.PHI), atoms)


def _panel(table: dict[tuple[float, int], Case], epsilon: float, widths: Sequence[int]) -> Approach:
    cases = [table[epsilon, width] for width in widths]
    dynamics = ExactOverlaps(setting.SIGMA, setting.PHI, epsilon)
    atoms = dynamics.initial(widths[-1], outputs=LAW, stratified=True).a
    limit = _mean_field(epsilon, atoms).solve(end=READ)
    return Approach(
        widths=np.array(widths, dtype=np.float64),
        curves=[(case.run.step_times, case.run.step_risk) for case in cases],
        limit=(limit.time, limit.risk),
        error=np.array([_excess(case) for case in cases]),
        spread=np.array([case.spread for case in cases]),
    )


def _printed(table: dict[tuple[float, int], Case]) -> list[Check]:
    checks = []
    for (epsilon, width), value in PRINTED.items():
        claim = f"R(0.1), ε = {epsilon:g}, m = {width}"
        checks.append(close(claim, "section 2.4", value, table[epsilon, width].risk, DIGITS))
    for epsilon, value in PRINTED_LIMIT.items():
        claim = f"R(0.1), ε = {epsilon:g}, mean field"
        widest = max(width for _, width in table)
        checks.append(close(claim, "section 2.4", value, table[epsilon, widest].limit, DIGITS))
    return checks


def _slopes(table: dict[tuple[float, int], Case], widths: Sequence[int]) -> list[Check]:
    checks = []
    for epsilon in EPSILONS:
        wide = [width for width in widths if _margin(epsilon, width) >= WIDE]
        for name, place, values in (
            ("R(0.1) over the mean field's", "F8", {w: _excess(table[epsilon, w]) for w in widths}),
            ("rms of r − s sᵀ, i ≠ j", "F11", {w: table[epsilon, w].spread for w in widths}),
        ):
            claim = f"{name}, ε = {epsilon:g}: power of m"
            local = _fit(values, widths[-2:]).exponent
            if len(wide) < 2:
                words = f"{local:.2f} from m = {widths[-2]} to {widths[-1]}"
                checks.append(untested(claim, place, -1.0, SLOPE_WITHIN, words))
                continue
            fit = _fit(values, wide)
            claim = f"{claim}, m = {wide[0]} to {wide[-1]} (last two: {local:.2f})"
            error = fit.standard_error
            checks.append(close(claim, place, -1.0, fit.exponent, SLOPE_WITHIN, error))
    return checks


def _excess(case: Case) -> float:
    return case.risk - case.limit


def _fit(values: Mapping[int, float], widths: Sequence[int]) -> PowerLawFit:
    chosen = np.array([values[width] for width in widths])
    return fit_power_law(np.array(widths, dtype=np.float64), chosen)


def _delay(case: tuple[float, int]) -> Delay:
    epsilon, width = case
    dynamics = ExactOverlaps(setting.SIGMA, setting.PHI, epsilon)
    start = dynamics.initial(width, outputs=LAW, stratified=True)
    limit = float(_mean_field(epsilon, start.a).solve(end=LONGEST).crossing_times[1])
    found = dynamics.solve(start, np.geomspace(limit / 2, LONGEST, DELAY_ROWS))
    residual = setting.PHI[1] - setting.SIGMA[1] * np.mean(found.a * found.s, axis=1)
    time = last_crossing(found.times, np.abs(residual / setting.PHI[1]), 0.5).time
    return Delay(
        time, limit, degree_one_time_of(width, epsilon), degree_one_time_of(math.inf, epsilon)
    )


def _rule(found: dict[tuple[float, int], Delay]) -> list[Check]:
    """The rule m ≫ ε^(−1/2) log(1/ε), and the correction behind it."""
    epsilon = min(epsilon for epsilon, _ in found)
    width = max(width for _, width in found)
    delay = found[epsilon, width]
    late, theory = delay.time - delay.limit, delay.theory - delay.theory_limit
    enough = [each.time / each.limit for case, each in found.items() if _margin(*case) >= 1.0]
    few = [each.time / each.limit for case, each in found.items() if _margin(*case) <= 0.2]
    checks = [
        close(
            f"delay of t_1 over theory, ε = {epsilon:g}, m = {width}",
            "section 2.4 (derived)",
            1.0,
            late / theory,
            0.15,
        ),
        every(
            "t_1 at least twice the mean field's where m ≤ 0.2 ε^−½ log(1/ε)",
            "section 2.4",
            sum(ratio >= 2.0 for ratio in few),
            len(few),
        ),
    ]
    if enough:
        claim = "largest t_1 over the mean field's where m ≥ ε^−½ log(1/ε)"
        checks.append(at_most(claim, "section 2.4", 1.3, float(np.max(enough))))
    return checks


def _margin(epsilon: float, width: int) -> float:
    return width * math.sqrt(epsilon) / math.log(1 / epsilon)


def _wiped_out(found: dict[tuple[float, int], Delay]) -> list[Check]:
    """Narrow networks have no separation of times left, and stay on the first plateau."""
    epsilons = sorted({epsilon for epsilon, _ in found if epsilon <= EPSILONS[-1]})
    narrowest = min(width for _, width in found)
    ends = [found[epsilon, narrowest] for epsilon in (epsilons[0], epsilons[-1])]
    decades = math.log(epsilons[0] / epsilons[-1])
    power, limit = (
        math.log(first / last) / decades
        for first, last in ((ends[0].time, ends[1].time), (ends[0].limit, ends[1].limit))
    )
    where = f"ε = {epsilons[0]:g} to {epsilons[-1]:g}"
    risks = [_early_risk(epsilon) for epsilon in epsilons]
    return [
        at_most(
            f"power of ε in t_1, m = {narrowest}, {where}: no time scale is left",
            "section 2.4",
            0.05,
            abs(power),
        ),
        at_least(f"the same in the mean field (½ but for the log), {where}", "3.3", 0.3, limit),
        close(
            f"R(0.05) of m = {NARROW}, least of ε ≤ {EPSILONS[-1]:g}: the first plateau stays",
            "section 2.4",
            NARROW_RISK,
            float(np.min([risk for risk, _ in risks])),
            0.01,
        ),
        at_most(
            f"R(0.05) of the mean field of the same atoms, ε ≤ {EPSILONS[-1]:g}: it is left",
            "section 2.4",
            0.60,
            float(np.max([limit for _, limit in risks])),
        ),
    ]


def _early_risk(epsilon: float) -> tuple[float, float]:
    """R(0.05) of a narrow network and of its mean field."""
    dynamics = ExactOverlaps(setting.SIGMA, setting.PHI, epsilon)
    start = dynamics.initial(NARROW, outputs=LAW, stratified=True)
    limit = _mean_field(epsilon, start.a).solve(times=[EARLY])
    return float(dynamics.solve(start, [EARLY]).risk[-1]), float(limit.risk[-1])

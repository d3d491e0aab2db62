"""Prints the stored results of one run as Markdown tables; speeds as ratios, errors beside them.

python benchmarks/report.py [benchmarks/results/FILE.json]
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def table(head, rows):
    """A Markdown table as text."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(each) for each in row) + " |" for row in rows]
    return "\n".join(lines)


def number(value):
    """Three digits, or a dash."""
    return "–" if value is None or value != value else f"{value:.3g}"


def throughput(entries):
    """Network-steps per core-second and the ratio of netphase to each peer."""
    by_case = defaultdict(dict)
    for info, median in entries:
        by_case[info["case"]][info["who"]] = (info["network_steps"] / median, info["error"])
    rows = []
    for case, found in by_case.items():
        ours = max((speed for who, (speed, _) in found.items() if "netphase" in who), default=None)
        for who, (speed, error) in found.items():
            ratio = None if ours is None else ours / speed
            rows.append((case, who, number(speed), number(ratio), f"{error:.1e}"))
    head = ("case", "who", "network-steps / core-second", "netphase is × faster", "largest error")
    return table(head, rows)


def flow(entries):
    """Evaluations of Flow and of fixed steps at equal accuracy."""
    rows = []
    for info, median in entries:
        ours = info["flow_gradients"] + info["flow_solves"]
        theirs = info["gd_steps"]
        rows.append(
            (
                f"({info['gamma']:g}, {info['gamma_prime']:g})",
                f"{info['flow_gradients']} + {info['flow_solves']}",
                f"{info['flow_loss_error']:.1e} / {info['flow_change_error']:.1e}",
                number(median * 1e3),
                theirs or f"not reached at c = {number(info['gd_smallest_factor'])}",
                f"{info['gd_loss_error']:.1e} / {info['gd_change_error']:.1e}",
                number(theirs / ours if theirs else None),
            )
        )
    head = (
        "(γ, γ′)",
        "Flow: gradients + solves",
        "error: loss / change",
        "ms",
        "fixed steps",
        "error: loss / change",
        "× fewer",
    )
    return table(head, rows)


def plain(entries):
    """Every noted figure in a row of its own."""
    rows = []
    for info, median in entries:
        words = [f"{key} {_short(value)}" for key, value in info.items()]
        rows.append((", ".join(words), number(median)))
    return table(("figures", "wall seconds"), rows)


def _short(value):
    if isinstance(value, list):
        return "[" + ", ".join(_short(each) for each in value) + "]"
    return number(value) if isinstance(value, float) else str(value)


def report(data):
    """The whole report of one stored run."""
    groups = defaultdict(list)
    for each in data["benchmarks"]:
        if each["extra_info"]:
            groups[each["group"]].append((each["extra_info"], each["stats"]["median"]))
    machine = data["machine_info"]
    cpu = machine.get("cpu", {}).get("brand_raw", machine.get("processor", "?"))
    parts = [f"Machine: {cpu}, Python {machine['python_version']}."]
    for name, entries in groups.items():
        show = {"throughput": throughput, "flow": flow}.get(name, plain)
        parts.append(f"### {name}\n\n{show(entries)}")
    return "\n\n".join(parts)


def main():
    """Reports the file named, or the newest stored one."""
    names = sys.argv[1:] or [
        str(max(RESULTS.glob("*.json"), key=lambda each: each.stat().st_mtime))
    ]
    print(report(json.loads(Path(names[0]).read_text(encoding="utf-8"))))


if __name__ == "__main__":
    main()

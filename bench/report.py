"""Collects what was measured, and prints it as one table at the end."""

import statistics
from dataclasses import dataclass, field


@dataclass
class Report:
    """Rows of what, how much, and the budget it is held against."""

    rows: list[tuple[str, str, str, str]] = field(default_factory=list)

    def add(self, what: str, measured: str, budget: str = "", *, kept: bool | None = None) -> None:
        """Add a row, and show it at once, for a bench takes minutes."""
        verdict = "" if kept is None else "kept" if kept else "MISSED"
        self.rows.append((what, measured, budget, verdict))
        print(f"{what:66} {measured:>26}  {budget:22} {verdict}", flush=True)

    def markdown(self) -> str:
        """Return the table for the README."""
        lines = ["| what | measured | budget | |", "| --- | --- | --- | --- |"]
        lines += [f"| {' | '.join(row)} |" for row in self.rows]
        return "\n".join(lines)


def median(values: list[float]) -> float:
    """Return the median; one noisy round does not decide."""
    return statistics.median(values)


def percentile(values: list[float], share: float) -> float:
    """Return the value below which a share of all lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

"""The table that comparisons of tools have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.bench import Sample
from tests.benchmarks.results import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

Samples = dict[str, "Sample | str"]
"""Medians by label, or why there are none."""

_HEADERS = ("", "records/s", "s reading", "s in all", "s CPU", "peak MB", "requests")


def compared(samples: Samples, baseline: str) -> Table:
    """Return the measurements of several tools, and how many times as fast as one each is."""
    headers = (*_HEADERS, f"x {baseline}")
    return Table(headers, [_row(label, samples, baseline) for label in samples])


def ratio(samples: Samples, label: str, other: str) -> float | None:
    """Return how many times as fast as another a tool reads; None if one of them did not."""
    one, two = samples.get(label), samples.get(other)
    return one.speed / two.speed if isinstance(one, Sample) and isinstance(two, Sample) else None


def bars(samples: Samples) -> Mapping[str, float]:
    """Return records a second by label."""
    return {label: sample.speed for label, sample in samples.items() if isinstance(sample, Sample)}


def megabytes(size: float) -> str:
    """Return a number of bytes, in millions."""
    return f"{size / 1e6:,.0f}"


def _row(label: str, samples: Samples, baseline: str) -> tuple[str, ...]:
    sample = samples[label]
    if isinstance(sample, str):
        return (label, f"failed: {sample}", *[""] * (len(_HEADERS) - 1))
    times = ratio(samples, label, baseline)
    return (
        label,
        f"{sample.speed:,.0f}",
        f"{sample.reading:.2f}",
        f"{sample.wall:.2f}",
        f"{sample.cpu:.2f}",
        megabytes(sample.peak),
        f"{sample.requests.total:,}",
        "-" if times is None else f"{times:.2f}",
    )

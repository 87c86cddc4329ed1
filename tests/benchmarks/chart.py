"""The chart: records a second, as bars, one panel for each comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WIDTH = 760
_LABELS = 230
_LONGEST = 420
_BAR = 18
_STEP = 26
_HEAD = 34
_GAP = 14
_OURS = "tap-analytics"
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; }
.label { text-anchor: end; }
.ours { fill: #0a7d55; }
.other { fill: #a8b1bb; }
.page { fill: #ffffff; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .ours { fill: #3fb98a; }
  .other { fill: #59636e; }
  .page { fill: #0d1117; }
}
"""


def draw(panels: Sequence[tuple[str, Mapping[str, float]]]) -> str:
    """Return an SVG image.

    Args:
        panels: A title and the bars of each panel, in records a second by label.
    """
    parts, top = [], _GAP
    for title, bars in panels:
        parts += _panel(title, bars, top)
        top += _HEAD + _STEP * len(bars) + _GAP
    size = f'width="{_WIDTH}" height="{top}" viewBox="0 0 {_WIDTH} {top}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            "<title>Records a second; longer is faster</title>",
            f"<style>{_STYLE}</style>",
            f'<rect class="page" width="{_WIDTH}" height="{top}"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _panel(title: str, bars: Mapping[str, float], top: int) -> list[str]:
    parts = [f'<text class="title" x="16" y="{top + 18}">{escape(title)}: records/s</text>']
    longest = max(bars.values(), default=0) or 1
    for place, (label, value) in enumerate(bars.items()):
        y = top + _HEAD + place * _STEP
        width = max(1.0, _LONGEST * value / longest)
        kind = "ours" if label.startswith(_OURS) else "other"
        text = y + _BAR - 5
        parts += [
            f'<text class="label" x="{_LABELS - 8}" y="{text}">{escape(label)}</text>',
            (
                f'<rect class="{kind}" x="{_LABELS}" y="{y}" width="{width:.1f}" height="{_BAR}" '
                'rx="3"/>'
            ),
            f'<text x="{_LABELS + width + 8:.1f}" y="{text}">{value:,.0f}</text>',
        ]
    return parts

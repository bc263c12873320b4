"""The figures as a picture: how far each is from its target."""

from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape

from benchmarks.findings import Finding, Target
from benchmarks.report import figure

_WIDTH, _LEFT, _RIGHT = 960, 410, 180
_TOP, _ROW, _BAR, _BOTTOM = 46, 26, 12, 12
_MOST = 2.0
# Of the eye's own contrast on white and on black; the words beside the bars say the same as the colours.
_STYLE = """
  .ground { fill: #ffffff }
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .quiet { fill: #59636e } .met { fill: #1a7f37 } .unmet { fill: #bc4c00 }
  .line { stroke: #1f2328; stroke-dasharray: 3 3 } .spread { stroke: #59636e; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 }
    text { fill: #f0f6fc } .quiet { fill: #9198a1 } .met { fill: #3fb950 } .unmet { fill: #f0883e }
    .line { stroke: #f0f6fc } .spread { stroke: #9198a1 }
  }
"""


def svg(findings: Iterable[Finding]) -> str:
    """A bar for each figure that has a target: at the line it is met just so, and to the right of it exceeded."""
    aimed = [(finding, finding.target) for finding in findings if finding.target is not None]
    height = _TOP + _ROW * len(aimed) + _BOTTOM
    met = _x(1.0)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
            f"<title>{sum(finding.is_met is True for finding, _ in aimed)} of {len(aimed)} targets are met</title>",
            f"<style>{_STYLE}</style>",
            f'<rect class="ground" width="{_WIDTH}" height="{height}" rx="6"/>',
            f'<text class="quiet" x="{met}" y="18" text-anchor="middle">target</text>',
            f'<text class="quiet" x="{_x(_MOST)}" y="18" text-anchor="end">better →</text>',
            *(line for row, (finding, target) in enumerate(aimed) for line in _row(row, finding, target)),
            f'<line class="line" x1="{met}" x2="{met}" y1="26" y2="{height - _BOTTOM}"/>',
            "</svg>",
            "",
        ]
    )


def _row(row: int, finding: Finding, target: Target) -> Iterator[str]:
    top = _TOP + _ROW * row
    middle = top + _BAR / 2
    kind = "met" if finding.is_met else "unmet"
    end = _x(target.share_of(finding.found.median))
    reach: Sequence[float] = sorted(
        _x(target.share_of(value)) for value in (finding.found.lowest, finding.found.highest)
    )
    yield f'<text x="{_LEFT - 10}" y="{middle + 4}" text-anchor="end">{escape(finding.what)}</text>'
    yield f'<rect class="{kind}" x="{_LEFT}" y="{top}" width="{end - _LEFT:.1f}" height="{_BAR}" rx="2"/>'
    if reach[0] < reach[1]:
        yield f'<line class="spread" x1="{reach[0]:.1f}" x2="{reach[1]:.1f}" y1="{middle}" y2="{middle}"/>'
    verdict = f"{figure(finding.found.median)} ({target}) {'met' if finding.is_met else 'not met'}"
    yield f'<text x="{_WIDTH - _RIGHT + 10}" y="{middle + 4}">{escape(verdict)}</text>'


def _x(share: float) -> float:
    return _LEFT + min(share, _MOST) / _MOST * (_WIDTH - _LEFT - _RIGHT)

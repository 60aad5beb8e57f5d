"""A chart as pixels, for who cannot show an SVG."""

import re

import vl_convert

from analytics.reports.parts import Chart

_SAID_MOMENT = re.compile(
    r'<path class="moment" aria-label="[^"]*"[^>]*><title>[^<]*</title></path>'
)


def pixels(chart: Chart) -> bytes:
    """Return a chart as a PNG, two dots to each of its points."""
    # What is not seen would take most of the time: each moment is painted on a sheet of its own.
    png: bytes = vl_convert.svg_to_png(_SAID_MOMENT.sub("", chart.svg), scale=2)
    return png

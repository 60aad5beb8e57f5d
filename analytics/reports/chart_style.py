"""How every chart looks: letters, lines and margins, as Vega-Lite's configuration says it."""

from collections.abc import Mapping
from typing import Any

# A wider letter than the renderer measured must not reach the next symbol of the legend.
STYLE: Mapping[str, Any] = {
    "font": "Liberation Sans, Arial, Helvetica, sans-serif",
    "padding": {"left": 4, "right": 18, "top": 4, "bottom": 4},
    "view": {"stroke": None},
    "axis": {
        "aria": False,
        "labelColor": "#444",
        "titleColor": "#444",
        "gridColor": "#e6e6e6",
        "domainColor": "#999",
        "tickColor": "#999",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    },
    "title": {
        "fontSize": 15,
        "subtitleFontSize": 12,
        "subtitleColor": "#8a3b00",
        "color": "#1a1a1a",
    },
    "legend": {
        "aria": False,
        "orient": "top",
        "columnPadding": 34,
        "labelFontSize": 12,
        "labelColor": "#333",
        "labelLimit": 260,
    },
}

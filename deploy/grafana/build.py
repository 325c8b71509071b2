"""Renders the dashboards as JSON:  python -m deploy.grafana.build [--check]

--check writes nothing and exits with 1 when a file differs from the rendered one.
"""

import json
import sys
from pathlib import Path

from grafana_foundation_sdk.builders import bargauge, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType, DataSourceRef

from deploy.grafana.boards import BOARDS
from deploy.grafana.panels import Board, Panel

FOLDER = Path(__file__).parent / "dashboards"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
TAG = "chimera"
SIZES = {"number": (4, 5), "lines": (12, 8), "bars": (12, 10)}
"""Width (of 24 columns) and height of each kind of panel."""


def render(board: Board) -> str:
    """Return the JSON of one dashboard."""
    links = dashboard.DashboardLink("Chimera").type(DashboardLinkType.DASHBOARDS).tags([TAG]).keep_time(True)
    made = (
        dashboard.Dashboard(f"Chimera / {board.title}")
        .uid(f"chimera-{board.name}")
        .description(board.why)
        .tags([TAG])
        .time("now-6h", "now")
        .refresh("30s")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .links([links.include_vars(True)])
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )
    for panel in board.panels:
        made = made.with_panel(_build_panel(panel))
    return json.dumps(made.build(), cls=JSONEncoder, indent=1, sort_keys=True) + "\n"


def _build_panel(panel: Panel) -> timeseries.Panel | stat.Panel | bargauge.Panel:
    width, height = SIZES[panel.kind]
    made = {"lines": timeseries.Panel, "number": stat.Panel, "bars": bargauge.Panel}[panel.kind]()
    made.title(panel.title).description(panel.why).unit(panel.unit).datasource(SOURCE).span(width).height(height)
    for query in panel.queries:
        target = prometheus.Dataquery().expr(query.expr).legend_format(query.legend).datasource(SOURCE)
        made.with_target(target.range().exemplar(True) if panel.kind == "lines" else target.instant())
    return made


def main(check: bool) -> int:
    """Write the files, or compare them. Returns the exit status."""
    stale = []
    for board in BOARDS:
        path, text = FOLDER / f"{board.name}.json", render(board)
        if not check:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(path.name)
    stale += sorted({path.name for path in FOLDER.iterdir()} - {f"{board.name}.json" for board in BOARDS})
    if stale:
        print(f"dashboards out of date: {', '.join(stale)}. Next step: make dashboards", file=sys.stderr)  # noqa: T201
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))

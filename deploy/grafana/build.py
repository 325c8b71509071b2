"""Renders the dashboards as JSON:  python -m deploy.grafana.build [--check]

--check writes nothing and exits with 1 when a file differs from the rendered one.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import GraphTresholdsStyleMode, LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    GridPos,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
)

from deploy.grafana.boards import BOARDS
from deploy.grafana.panels import FACTORY, Board, Panel, Variable, arrange
from deploy.grafana.promql import narrow

FOLDER = Path(__file__).parent / "dashboards"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
TAG = "chimera"
RUNBOOK, TRACES = "docs/how-to/runbook.md", "docs/how-to/operations.md"
"""Addresses that the chart replaces by those of its values."""
EVENTS = {
    "Releases": ('increase(chimera_events_produced_total{event="dataset.released"}[1m]) > 0', "green", "a release"),
    "Trainings": ("changes(chimera_training_steps[1m]) > 0", "purple", "a phase of training: {{phase}}"),
    "Deploys": ('time() - process_start_time_seconds{job="chimera"} < 60', "blue", "{{process}}{{pod}} started"),
    "Alerts": ('ALERTS{factory=~"$factory", alertname=~"Chimera.+", alertstate="firing"}', "red", "{{alertname}}"),
}
"""Annotations: PromQL, color, text."""


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
        .links([links.include_vars(True), _link("Runbook", RUNBOOK), _link("Traces", TRACES)])
        .with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )
    for at, variable in enumerate(board.variables):
        made = made.with_variable(_build_variable(variable, board.variables[:at]))
    for name, (expr, color, _) in EVENTS.items():
        made = made.annotation(_build_annotation(name, narrow(expr, [FACTORY]), color))
    for panel, place in zip(board.panels, arrange(board.panels), strict=True):
        made = made.with_panel(_build_panel(panel, board.variables).grid_pos(GridPos(**asdict(place))))
    document = json.loads(json.dumps(made.build(), cls=JSONEncoder))
    for one in document["annotations"]["list"]:  # of Prometheus, which the library does not know
        one |= {"titleFormat": EVENTS[one["name"]][2], "step": "60s"}
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def _link(title: str, url: str) -> dashboard.DashboardLink:
    return dashboard.DashboardLink(title).type(DashboardLinkType.LINK).url(url).target_blank(True)


def _build_variable(variable: Variable, before: Sequence[Variable]) -> dashboard.QueryVariable:
    values = f"label_values({narrow(variable.source, before)}, {variable.label})"
    made = dashboard.QueryVariable(variable.name).label(variable.name.capitalize()).datasource(SOURCE).query(values)
    made.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    return made.include_all(True).all_value(".*").multi(True) if variable.all else made


def _build_annotation(name: str, expr: str, color: str) -> dashboard.AnnotationQuery:
    return dashboard.AnnotationQuery().name(name).datasource(SOURCE).enable(True).icon_color(color).expr(expr)


def _build_panel(panel: Panel, variables: Sequence[Variable]) -> timeseries.Panel | stat.Panel | bargauge.Panel:
    made = {"lines": timeseries.Panel, "number": stat.Panel, "bars": bargauge.Panel}[panel.kind]()
    made.title(panel.title).description(panel.why).unit(panel.unit).datasource(SOURCE)
    if isinstance(made, timeseries.Panel):
        legend = common.VizLegendOptions().display_mode(LegendDisplayMode.TABLE).placement(LegendPlacement.BOTTOM)
        made.legend(legend.calcs(["lastNotNull", "mean"]).sort_by("Last *").sort_desc(True).show_legend(True))
    if panel.limit is not None:
        steps = [Threshold(value=None, color="green"), Threshold(value=panel.limit, color="red")]
        made.thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        if isinstance(made, timeseries.Panel):
            made.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphTresholdsStyleMode.DASHED))
    for query in panel.queries:
        target = (
            prometheus.Dataquery().expr(narrow(query.expr, variables)).legend_format(query.legend).datasource(SOURCE)
        )
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

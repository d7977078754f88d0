"""How our panels look: calm, dense, exact; the same on every board.

What enters: a title, a description, questions. What leaves: panels of the SDK. The next room: the rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueJustifyMode,
    BigValueTextMode,
    DataSourceRef,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    LineInterpolation,
    SortOrder,
    StackingMode,
    TableCellHeight,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from grafana_foundation_sdk.models.units import BytesSI, LocaleFormat, PercentUnit, Seconds

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
COUNT, RATE, BYTES, SECONDS = LocaleFormat, PercentUnit, BytesSI, Seconds
PLAIN, WATCH, BAD = "text", "semi-dark-orange", "semi-dark-red"


@dataclass(frozen=True, slots=True)
class Words:
    """What a panel is called, what it means, and how large it is. Units: 24 columns a row."""

    title: str
    description: str
    width: int
    height: int = 8


@dataclass(frozen=True, slots=True)
class Column:
    """One column of numbers: its head, its question, its unit, and whether its cells are shaded."""

    head: str
    expr: str
    unit: str = COUNT
    shaded: bool = False
    width: int = 110


def _frame(panel: Any, words: Words) -> Any:
    described = panel.title(words.title).description(words.description).datasource(SOURCE)
    return described.span(words.width).height(words.height)


def _query(ref: str, expr: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().ref_id(ref).expr(expr).datasource(SOURCE)


def number(words: Words, expr: str, unit: str = COUNT, bad: float | None = None) -> stat.Panel:
    """One number, plain; coloured only from `bad` on."""
    steps = [Threshold(value=None, color=PLAIN), *([] if bad is None else [Threshold(value=bad, color=BAD)])]
    panel: stat.Panel = _frame(stat.Panel(), words)
    return (
        panel.with_target(_query("A", expr).instant())
        .unit(unit)
        .decimals(1 if unit == RATE else 0)
        .no_value("-")
        .thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.NONE)
        .justify_mode(BigValueJustifyMode.AUTO)
        .text_mode(BigValueTextMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    )


def numbers(words: Words, expr: str, label: str) -> stat.Panel:
    """One number for each value of a label, side by side."""
    panel = number(words, expr)
    panel.targets([_query("A", expr).instant().legend_format(f"{{{{{label}}}}}")])
    return panel.text_mode(BigValueTextMode.VALUE_AND_NAME)


def lines(words: Words, queries: Mapping[str, str], unit: str, *, stacked: bool = False) -> timeseries.Panel:
    """Lines over time, by legend; a negative number is shown, but the axis begins at nought without one."""
    panel: timeseries.Panel = _frame(timeseries.Panel(), words)
    for ref, (legend, expr) in zip("ABCDEFGH", queries.items(), strict=False):
        panel.with_target(_query(ref, expr).range().legend_format(legend))
    listed = common.VizLegendOptions().show_legend(True).display_mode(LegendDisplayMode.TABLE)
    return (
        panel.unit(unit)
        .no_value("-")
        .axis_soft_min(0)
        .draw_style(GraphDrawStyle.LINE)
        .line_interpolation(LineInterpolation.LINEAR)
        .line_width(1)
        .fill_opacity(25 if stacked else 0)
        .stacking(common.StackingConfig().mode(StackingMode.NORMAL if stacked else StackingMode.NONE))
        .show_points(VisibilityMode.NEVER)
        .span_nulls(False)
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .legend(listed.placement(LegendPlacement.RIGHT).calcs(["lastNotNull", "max"]))
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    )


def states(words: Words, expr: str, legend: str, said: tuple[str, str]) -> statetimeline.Panel:
    """A strip for each series that is 0 or 1; `said` are the words for the two."""
    panel: statetimeline.Panel = _frame(statetimeline.Panel(), words)
    zero = ValueMappingResult(text=said[0], color="semi-dark-blue", index=0)
    one = ValueMappingResult(text=said[1], color=BAD, index=1)
    panel.with_target(_query("A", expr).range().legend_format(legend))
    return (
        panel.unit(COUNT)
        .no_value("-")
        .mappings([ValueMap({"0": zero, "1": one})])
        .show_value(VisibilityMode.AUTO)
        .merge_values(True)
        .row_height(0.8)
        .fill_opacity(60)
        .legend(common.VizLegendOptions().show_legend(False).display_mode(LegendDisplayMode.LIST))
    )


def rows(words: Words, keys: Mapping[str, str], columns: Sequence[Column], *, only: str | None = None) -> table.Panel:
    """A table: key columns by label and head, then numbers, sorted by the first of them.

    Takes: `only`, the head of a column of which only numbers above nought are shown
    """
    panel: table.Panel = _frame(table.Panel(), words)
    letters = "ABCDEFGH"
    for letter, column in zip(letters, columns, strict=False):
        panel.with_target(_query(letter, column.expr).instant().format(PromQueryFormat.TABLE))
    # With one question the column is called Value, with several Value #A, Value #B ...
    names = [f"Value #{letter}" for letter in letters] if len(columns) > 1 else ["Value"]
    values = dict(zip(names, columns, strict=False))
    order = [*keys, *values]
    heads = {**keys, **{name: column.head for name, column in values.items()}}
    panel.with_transformation(DataTransformerConfig(id_val="merge", options={}))
    arranged = {
        "excludeByName": {"Time": True},
        "indexByName": {name: index for index, name in enumerate(order)},
        "renameByName": heads,
    }
    panel.with_transformation(DataTransformerConfig(id_val="organize", options=arranged))
    if only is not None:
        above = {"config": {"id": "greater", "options": {"value": 0}}, "fieldName": only}
        options = {"filters": [above], "match": "all", "type": "include"}
        panel.with_transformation(DataTransformerConfig(id_val="filterByValue", options=options))
    for column in columns:
        panel.override_by_name(column.head, _look(column))
    return (
        panel.unit(COUNT)
        .no_value("-")
        .cell_height(TableCellHeight.SM)
        .sort_by([common.TableSortByFieldState().display_name(columns[0].head).desc(True)])
    )


def _look(column: Column) -> list[DynamicConfigValue]:
    look: dict[str, Any] = {
        "unit": column.unit,
        "decimals": 1 if column.unit == RATE else 0,
        "custom.align": "right",
        "custom.width": column.width,
    }
    if column.shaded:
        look |= {
            "custom.cellOptions": {"type": "color-background", "mode": "gradient"},
            "color": {"mode": "continuous-blues"},
            "min": 0,
            # Without it the shade of a rate is scaled by the numbers of all other columns.
            "fieldMinMax": True,
        }
    return [DynamicConfigValue(id_val=name, value=value) for name, value in look.items()]

"""The page about monitoring, its alerts and its dashboard speak of the metrics that there are."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.metrics.meters import Meters
from adapters.metrics.readings import Readings
from domain.events import Event

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "monitoring.md").read_text()
DASHBOARD = json.loads((DOCS / "monitoring" / "dashboard.json").read_text())
GROUPS = yaml.safe_load((DOCS / "monitoring" / "alerts.yml").read_text())["groups"]
ALERTS: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]
PANELS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
METERS = Meters(Readings(rotate_after=timedelta(days=90)), version="1.2.3")
_NAMED = re.compile(r"\b(?:hallporter|process)_[a-z_]+")
_SELECTED = re.compile(r"(hallporter_\w+)\{([^}]*)\}")
_MATCHER = re.compile(r'(\w+)(?:=~|!~|!=|=)"([^"]*)"')


def metrics() -> Iterator[tuple[str, str]]:
    """Every metric by the name that is written about it, and its kind."""
    for family in METERS.registry.collect():
        yield (f"{family.name}_total" if family.type == "counter" else family.name), family.type


def queried() -> set[str]:
    """Every name that a query may have."""
    parts = ("_bucket", "_count", "_sum")
    return {name + part for name, kind in metrics() for part in (parts if kind == "histogram" else ("",))}


@pytest.mark.parametrize("expression", [rule["expr"] for rule in ALERTS] + PANELS)
def test_every_metric_that_is_asked_for_exists(expression: str) -> None:
    named = set(_NAMED.findall(expression))
    assert named or expression.startswith("up{")
    assert named <= queried()
    assert expression.count("(") == expression.count(")")
    assert expression.count("{") == expression.count("}")


def test_every_metric_is_on_the_page_and_the_page_has_no_other() -> None:
    table = PAGE.partition("| Metric |")[2].partition("| Alert |")[0]
    assert set(_NAMED.findall(table)) == {name for name, _ in metrics()}


def test_every_alert_says_on_the_page_what_to_do() -> None:
    rows = re.findall(r"^\| `(Hallporter\w+)` \| \S", PAGE, re.MULTILINE)
    assert rows == [rule["alert"] for rule in ALERTS]
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] for rule in ALERTS)


def test_labels_in_queries_have_values_that_occur() -> None:
    known = {
        "hallporter_sign_ins_total": values_of("hallporter_sign_ins", "outcome"),
        "hallporter_mail_attempts_total": values_of("hallporter_mail_attempts", "outcome"),
        "hallporter_events_total": {event.name for event in Event.__subclasses__()},
    }
    seen = 0
    for rule in ALERTS:
        for metric, selection in _SELECTED.findall(rule["expr"]):
            for _label, value in _MATCHER.findall(selection):
                if metric in known:
                    assert set(value.split("|")) <= known[metric], rule["alert"]
                    seen += 1
    assert seen >= 5


def values_of(family: str, label: str) -> set[str]:
    found = next(one for one in METERS.registry.collect() if one.name == family)
    return {sample.labels[label] for sample in found.samples}


def test_the_page_stays_one_that_is_read() -> None:
    assert len(PAGE.splitlines()) <= 80

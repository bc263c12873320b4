"""What is shipped beside the code names what there is, and gives nobody more than the code needs."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from entrypoints.settings import Settings
from tests.architecture.test_house import routes

TOP = Path(__file__).parents[2]
DEPLOY = TOP / "deploy"
SETTINGS = {name.upper() for name in Settings.model_fields}
PATHS = {getattr(route, "path", "") for route in routes()}


def kubernetes() -> Iterator[dict[str, Any]]:
    yield from yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())


def compose() -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return services


def pods() -> list[dict[str, Any]]:
    return [each["spec"]["template"]["spec"] for each in kubernetes() if each["kind"] in {"Job", "Deployment"}]


def containers() -> list[dict[str, Any]]:
    return [container for pod in pods() for container in pod["containers"]]


def test_every_setting_that_is_named_is_one() -> None:
    named = set(re.findall(r"^([A-Z_]+)=", (DEPLOY / "hallporter.env.example").read_text(), re.MULTILINE))
    for service in compose().values():
        named |= service.get("environment", {}).keys()
    named |= {key for each in kubernetes() if each["kind"] == "ConfigMap" for key in each["data"]}
    named |= set(re.findall(r"^Environment=(\w+)=", (DEPLOY / "hallporter.service").read_text(), re.MULTILINE))
    ours = {name for name in named if not name.startswith("POSTGRES_")}
    assert {"ENVIRONMENT", "DATABASE_URL", "PUBLIC_URL"} <= ours <= SETTINGS


def test_every_probe_is_a_route() -> None:
    probes = [probe for container in containers() for name, probe in container.items() if name.endswith("Probe")]
    assert len(probes) == 3
    assert {probe["httpGet"]["path"] for probe in probes} == {"/livez", "/readyz"} <= PATHS
    assert "/livez" in (DEPLOY / "Dockerfile").read_text()


def test_whoever_it_runs_as_is_nobody_and_writes_nowhere() -> None:
    for pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
    for container in containers():
        allowed = container["securityContext"]
        assert (allowed["readOnlyRootFilesystem"], allowed["allowPrivilegeEscalation"]) == (True, False)
        assert allowed["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
    for name, service in compose().items():
        if name != "database":
            assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    last_stage = (DEPLOY / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    assert "USER 10001:10001" in last_stage
    assert not re.search(r"\b(RUN|ADD)\b|COPY (?!--from=build)", last_stage)


def test_stopping_has_the_time_that_requests_have() -> None:
    (deployment,) = [each for each in kubernetes() if each["kind"] == "Deployment"]
    assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 40
    assert compose()["hallporter"]["stop_grace_period"] == "40s"
    assert "TimeoutStopSec=40\n" in (DEPLOY / "hallporter.service").read_text()


def test_an_image_is_made_of_what_is_named_and_that_is_there() -> None:
    named = re.findall(r"^!(.+)$", (TOP / ".dockerignore").read_text(), re.MULTILINE)
    assert [name for name in named if not (TOP / name).exists()] == []
    assert {"adapters", "alembic", "application", "domain", "entrypoints"} <= set(named)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not there to ask")
def test_systemd_rates_the_unit_as_shut() -> None:
    unit = str(DEPLOY / "hallporter.service")
    asked = ["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", unit]
    rated = subprocess.run(asked, check=False, capture_output=True, text=True)
    assert rated.returncode == 0, rated.stdout

"""What can be set about being watched."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings

from entrypoints.setting_formats import checked_listener, host_and_port

_MIN_TOKEN_LENGTH = 20


class MetricsSettings(BaseSettings):
    """Where numbers for Prometheus are told, and to whom (AP-06)."""

    metrics_listen: Annotated[str, AfterValidator(checked_listener)] | None = Field(
        default=None,
        description="address and port for Prometheus, as 127.0.0.1:9464, further processes at the ports after it; "
        "left out: nowhere",
    )
    metrics_token: SecretStr | None = Field(
        default=None, description="what Prometheus has to show; needed where others than this machine can connect"
    )


def metrics_problems(settings: MetricsSettings) -> Iterator[str]:
    """What would tell strangers how we are doing."""
    token = settings.metrics_token.get_secret_value() if settings.metrics_token is not None else None
    advice = "Set it to the output of: openssl rand -base64 48"
    if token is not None and (len(token) < _MIN_TOKEN_LENGTH or not token.isascii() or not token.isprintable()):
        yield f"METRICS_TOKEN is shorter than {_MIN_TOKEN_LENGTH} characters, or has unusual ones. {advice}"
    if token is None and settings.metrics_listen is not None:
        host, _ = host_and_port(settings.metrics_listen)
        if not ip_address(host).is_loopback:
            yield f"METRICS_TOKEN is missing, and others than this machine can reach METRICS_LISTEN. {advice}"

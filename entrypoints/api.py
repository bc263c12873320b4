"""The ASGI application: `uvicorn entrypoints.api:app`."""

from entrypoints.loading import loading

with loading():
    from entrypoints.service import make_app
    from entrypoints.settings import load_settings_or_exit
    from entrypoints.telemetry import configure_logging

    _settings = load_settings_or_exit()
    configure_logging(_settings.log_level, _settings.effective_log_format)
    app = make_app(_settings)
    """The application."""

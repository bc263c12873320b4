"""The application."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from adapters.http.armour import Armour
from adapters.http.cors import ExactCors
from adapters.http.documentation import exact
from adapters.http.injection import Container
from adapters.http.limits import BODY_SECONDS, BodyLimit
from adapters.http.methods import ExactMethods
from adapters.http.middleware import RequestContext
from adapters.http.problems import answer_domain_error, answer_http_error, answer_validation_error
from adapters.http.route_checks import expect_declared, larger_bodies
from adapters.http.route_policies import ROUTE_POLICIES
from adapters.http.routers import (
    admin_audit,
    admin_exports,
    admin_factors,
    admin_imports,
    admin_messages,
    admin_sign_in_attempts,
    admin_signing_keys,
    admin_suspensions,
    admin_user_changes,
    admin_user_list,
    admin_users,
    challenges,
    client_config,
    deletions,
    email_changes,
    email_verifications,
    factors,
    health,
    links,
    mailbox,
    passkeys,
    password_resets,
    problems,
    security_events,
    sessions,
    tokens,
    users,
    well_known,
)
from adapters.http.security_headers import SecurityHeaders
from adapters.http.straight import StraightToRoute
from domain.errors import DomainError

type Lifespan = (
    Callable[[FastAPI], AbstractAsyncContextManager[None]]
    | Callable[[FastAPI], AbstractAsyncContextManager[Mapping[str, Any]]]
)


_ROUTERS = (
    users,
    security_events,
    deletions,
    sessions,
    challenges,
    factors,
    passkeys,
    email_verifications,
    password_resets,
    email_changes,
    tokens,
    admin_user_list,
    admin_user_changes,
    admin_users,
    admin_suspensions,
    admin_factors,
    admin_messages,
    admin_signing_keys,
    admin_sign_in_attempts,
    admin_audit,
    admin_imports,
    admin_exports,
    client_config,
    well_known,
    health,
    links,
    problems,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpConfig:
    """What the HTTP layer itself needs to know."""

    public_url: str
    version: str
    docs: bool = True
    mailbox: bool = False
    cors_origins: tuple[str, ...] = ()
    links_url: str | None = None
    trusted_proxies: int = 0
    allowed_hosts: tuple[str, ...] = ()
    body_seconds: float = BODY_SECONDS

    @property
    def hosts(self) -> frozenset[str]:
        """Names by which callers may call, without ports; that of `public_url` is always one."""
        # As in a Host header, and not as urlsplit's hostname, which takes the brackets from IPv6 addresses.
        public = urlsplit(self.public_url)
        named = public.netloc.removesuffix(f":{public.port}").lower()
        return frozenset((named, *self.allowed_hosts))

    @property
    def effective_links_url(self) -> str:
        """Where links lead: to pages of somebody else's, or to ours."""
        return self.links_url or f"{self.public_url}/links"


class _App(FastAPI):
    def openapi(self) -> dict[str, Any]:
        return exact(super().openapi(), self.state.policies)


def create_app(container: Container | None = None, *, config: HttpConfig, lifespan: Lifespan | None = None) -> FastAPI:
    """The app on a container of use cases.

    Routes of your own are declared in `app.state.policies`, as those of `ROUTE_POLICIES`.

    Where the container can only be made in the running event loop, leave it out and let `lifespan` put it into
    `app.state.container`.
    """
    app = _App(
        title="Hallporter",
        version=config.version,
        description="User accounts and sign-in. Errors are problems (RFC 9457) with a stable `code`.",
        lifespan=lifespan,
        docs_url="/docs" if config.docs else None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        openapi_url="/openapi.json" if config.docs else None,
        redirect_slashes=False,
        # Names of endpoints are unique and stable, and so are the operationIds.
        generate_unique_id_function=lambda route: route.name,
        # FastAPI's own would tell of paths and of what stands behind the question mark, add what was not accepted to
        # the log, and let each caller choose the trace: see adapters/http/tracing.py.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.container = container
    app.state.public_url = config.public_url
    app.state.links_url = config.effective_links_url
    app.state.policies = dict(ROUTE_POLICIES)
    app.add_exception_handler(DomainError, answer_domain_error)
    app.add_exception_handler(RequestValidationError, answer_validation_error)
    app.add_exception_handler(HTTPException, answer_http_error)
    for module in (*_ROUTERS, *([mailbox] if config.mailbox else [])):
        # As they are: including them would make each route, and what it depends on, a second time.
        app.router.routes.extend(module.router.routes)
    app.router.middleware_stack = StraightToRoute(app.router.middleware_stack, app)
    expect_declared(app)
    _add_middleware(app, config)
    return app


def _add_middleware(app: FastAPI, config: HttpConfig) -> None:
    """Each stands outside of those before it."""
    app.add_middleware(ExactMethods)
    app.add_middleware(
        Armour,
        allowed_hosts=config.hosts,
        # Those who balance load call by address.
        unlisted=health.PROBES,
        body_limit=BodyLimit(seconds=config.body_seconds),
        larger=larger_bodies(app),
    )
    if config.cors_origins:
        app.add_middleware(ExactCors, origins=config.cors_origins)
    app.add_middleware(RequestContext, trusted_proxies=config.trusted_proxies)
    # Outside of everything, so that also the last resort's answer has them.
    app.add_middleware(
        SecurityHeaders,
        https=config.public_url.startswith("https://"),
        vary=bool(config.cors_origins),
        exempt=frozenset({app.docs_url or ""}),
    )

"""Finding routes by their path, where it has no parameters, in place of trying one after the other."""

import re
from collections.abc import Mapping

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.types import ASGIApp, Receive, Scope, Send


class StraightToRoute:
    """Stands before a router, and calls the routes that are found by method and path alone.

    Whatever else there is goes on to the router, which alone knows what to say where nothing is found.
    """

    def __init__(self, router: ASGIApp, app: FastAPI) -> None:
        self._router = router
        self._app = app
        self._found: Mapping[tuple[str, str], tuple[APIRoute, ASGIApp]] = {}
        self._looked_at = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._find(scope) if scope["type"] == "http" and "fastapi.telemetry" not in scope else None
        if found is None:
            await self._router(scope, receive, send)
            return
        route, call = found
        scope.update(router=self._app.router, route=route, endpoint=route.endpoint, path_params={})
        await call(scope, receive, send)

    def _find(self, scope: Scope) -> tuple[APIRoute, ASGIApp] | None:
        if self._looked_at != len(self._app.routes):
            self._looked_at = len(self._app.routes)
            self._found = _plainly_named(self._app)
        # Where another application has mounted this one, its own part of the path stands before.
        return self._found.get((scope["method"], scope["path"])) if not scope.get("root_path") else None


def _plainly_named(app: FastAPI) -> Mapping[tuple[str, str], tuple[APIRoute, ASGIApp]]:
    """The routes without parameters that no other route comes before."""
    found: dict[tuple[str, str], tuple[APIRoute, ASGIApp]] = {}
    before: list[re.Pattern[str]] = []
    for context in iter_route_contexts(app.routes):
        route, path = context.original_route, context.path
        pattern: re.Pattern[str] | None = getattr(context, "path_regex", None)
        if pattern is None or path is None:
            # Of what is no route nothing is known but that it may want anything.
            break
        is_first = not any(earlier.match(path) for earlier in before)
        if isinstance(route, APIRoute) and not context.param_convertors and is_first:
            for method in context.methods or ():
                found.setdefault((method, path), (route, context.app))
        else:
            before.append(pattern)
    return found

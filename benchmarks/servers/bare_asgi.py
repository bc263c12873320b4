"""The work on ASGI itself: what a server in Python cannot do without."""

from starlette.types import Receive, Scope, Send

from benchmarks.servers.bare_work import Work

_work = Work()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request, or start and stop."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    body: bytes | None = b""
    match scope["path"]:
        case "/v1/users/me":
            body = await _work.me(_authorization(scope))
        case "/v1/admin/users":
            body = await _work.users(_authorization(scope))
        case "/v1/sessions/refresh":
            # Bodies as small as these come in one piece.
            body = await _work.refresh((await receive())["body"])
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body or b"")).encode())]
    await send({"type": "http.response.start", "status": 200 if body is not None else 401, "headers": headers})
    await send({"type": "http.response.body", "body": body or b""})


def _authorization(scope: Scope) -> str:
    found = next(value for name, value in scope["headers"] if name == b"authorization")
    return str(found, "latin-1")


async def _live(receive: Receive, send: Send) -> None:
    await receive()
    await _work.open()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await _work.close()
    await send({"type": "lifespan.shutdown.complete"})

"""How everything is loaded: at once, and no more than is used."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# What libraries load if it is there, for what nothing of ours asks of them: tracebacks in colour (structlog), addresses
# in OpenAPI's `contact` and models of another age (FastAPI), private keys of SSH (cryptography).
_UNUSED = ("rich", "rich.console", "rich.traceback", "rich.pretty", "email_validator", "pydantic.v1", "bcrypt")


@contextmanager
def loading() -> Iterator[None]:
    """Load what stays for as long as the process, in the block.

    Nobody looks for cycles meanwhile, nor ever among what was loaded: that is a fifth of the time, and later a pause of
    a tenth of a second each time. And libraries are not told of others that they would load without need; whoever
    wants those later finds them.
    """
    hidden = [name for name in _UNUSED if name not in sys.modules]
    # None is how Python notes that there is no such module (the import system, "The module cache").
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()
        for name in hidden:
            del sys.modules[name]

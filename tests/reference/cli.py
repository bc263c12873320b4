"""Every command."""

from collections.abc import Iterator
from typing import Any

import typer.main

from entrypoints.cli import app
from tests.reference import code, page, table

_INTRODUCTION = (
    "In a clone, `uv run` stands before it. `--help` says the same of each command. What people can mend is said in a "
    "sentence, with exit code 1; a command that was typed wrongly exits with 2."
)


def render() -> str:
    """In the order of `--help`."""
    return page("Commands", _INTRODUCTION, *_described(typer.main.get_command(app), "hallporter"))


def _described(command: Any, name: str) -> Iterator[list[str]]:
    commands = getattr(command, "commands", None)
    if commands is not None:
        for inner, found in commands.items():
            yield from _described(found, f"{name} {inner}")
        return
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and not one.hidden]
    typed = [name, *(_argument(one) for one in arguments), *(["[options]"] if options else [])]
    yield [f"## {' '.join(typed)}"]
    yield [" ".join((command.help or "").split())]
    rows = [(code(_argument(one)), one.help or "") for one in arguments if one.help]
    rows += [(", ".join(map(code, _spellings(one))), one.help or "") for one in options]
    if rows:
        yield table(["", ""], rows)


def _argument(argument: Any) -> str:
    return argument.name.upper() if argument.required else f"[{argument.name.upper()}]"


def _spellings(option: Any) -> list[str]:
    return [*option.opts, *option.secondary_opts]

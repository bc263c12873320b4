"""Every text has a greatest length, and the same one at the door and in the database (IN-04)."""

import re
from typing import Any

from sqlalchemy import text

from adapters.http.app import create_app
from adapters.http.strict_json import MERGE_PATCH
from adapters.postgres import jobs, schema
from tests.http.conftest import CONFIG
from tests.http.test_every_text import FIELDS

# Columns by what is written there. Every other column of text must be here, or have a bound of its own.
_WRITTEN_BY_US = {
    # Names of ours.
    "audit_entries.event",
    "messages.kind",
    "sessions.methods",
    "sign_in_challenges.methods",
    "sessions.end_reason",
    # Each bounded at the door, and so are they together.
    "users.roles",
    "signing_keys.id",
    "signing_keys.algorithm",
    "imports.failure",
    "import_rows.code",
    "import_rows.detail",
    "import_rows.password_format",
    "passkey_ceremonies.purpose",
    "passkeys.aaguid",
    "passkeys.transports",
    # Made of random or sealed by us.
    "imports.sealed_key",
    "import_parts.sealed",
    "users.password_hash",
    "one_time_tokens.code_hash",
    "recovery_codes.handle",
    "recovery_codes.code_hash",
    "totp_factors.sealed_secret",
    "refresh_tokens.sealed_answer",
    "messages.sealed_content",
    "signing_keys.public_key",
    "signing_keys.sealed_private_key",
    "audit_checkpoints.key_id",
    "audit_checkpoints.statement",
    # From the settings.
    "audit_checkpoints.issuer",
    # From templates, while developing.
    "mailbox.subject",
    "mailbox.text",
    "mailbox.html",
}
# Where a field of a request is kept, by its name; the others are hashed, compared or looked up, and not kept.
_KEPT_IN = {
    "email": {"users.email", "users.email_canonical", "messages.recipient", "messages.recipient_canonical"},
    "new_email": {
        "email_changes.new_email",
        "email_changes.new_email_canonical",
        "email_changes.old_email",
        "email_changes.old_email_canonical",
        "one_time_tokens.address",
        "mailbox.recipient",
    },
    "display_name": {"users.display_name"},
    "reason": {"users.suspension_reason", "factor_resets.reason"},
    "locale": {"users.locale", "messages.locale"},
    "name": {"totp_factors.name", "passkeys.name"},
}
_NOT_KEPT = {"password", "current_password", "new_password", "token", "refresh_token", "device_token", "code", "until"}
_NOT_KEPT |= {"totp_code", "recovery_code", "challenge_id"}
# Short words of a list.
_IN_LISTS = {"roles"}


async def bounds(url: str) -> dict[str, int | None]:
    """The greatest length of every column of text, as the database has it; 0 where a list of values is the bound."""
    async with schema.connected(url) as connection:
        columns = await connection.execute(
            text(
                "SELECT table_name || '.' || column_name FROM information_schema.columns "
                "WHERE table_schema = 'public' AND (data_type = 'text' OR udt_name = '_text') "
                "AND table_name <> ALL(:others)"
            ),
            {"others": [schema.VERSION_TABLE, *jobs.TABLES]},
        )
        found: dict[str, int | None] = dict.fromkeys(columns.scalars())
        checks = await connection.execute(
            text(
                "SELECT relname, pg_get_constraintdef(pg_constraint.oid) FROM pg_constraint "
                "JOIN pg_class ON pg_class.oid = conrelid WHERE contype = 'c'"
            )
        )
        for table, definition in checks:
            for column, length in re.findall(r"char_length\((\w+)\) <= (\d+)", definition):
                found[f"{table}.{column}"] = int(length)
            for column in re.findall(r"CHECK \(\((\w+) = ANY", definition):
                found[f"{table}.{column}"] = 0
    return found


async def test_in_04_every_column_of_text_is_bounded_or_ours(database: str) -> None:
    unbounded = {column for column, bound in (await bounds(database)).items() if bound is None}
    assert unbounded == _WRITTEN_BY_US


async def test_in_04_what_is_kept_is_as_long_at_the_door_as_in_the_database(database: str) -> None:
    found = await bounds(database)
    assert {name for _, name, _ in FIELDS} == _KEPT_IN.keys() | _NOT_KEPT | _IN_LISTS
    for operation, name, length in FIELDS:
        for column in _KEPT_IN.get(name, ()):
            assert found[column] == length, f"{name} of {operation} and {column}"


def test_in_04_every_text_of_every_request_has_a_greatest_length() -> None:
    def texts(schema: dict[str, Any]) -> list[dict[str, Any]]:
        if schema.get("type") == "string" and "enum" not in schema and "const" not in schema:
            return [schema]
        inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", []), schema.get("items", {})]
        return [found for part in inner if part for found in texts(part)]

    document = create_app(config=CONFIG).openapi()
    bodies = {
        content["schema"]["$ref"].rpartition("/")[2]
        for path in document["paths"].values()
        for operation in path.values()
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items()
        if media_type in {"application/json", MERGE_PATCH}
    }
    assert len(bodies) > 8
    for name in bodies:
        for found in texts(document["components"]["schemas"][name]):
            assert "maxLength" in found, f"{name}: {found}"

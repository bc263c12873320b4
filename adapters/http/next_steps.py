"""What an answer can be used for next, as OpenAPI links: for generated clients, documentation, and stateful tests."""

from typing import Any


def _link(operation: str, description: str, **how: object) -> dict[str, Any]:
    return {"operationId": operation, "description": description, **how}


def if_changed(operation: str) -> dict[str, Any]:
    """Ask again, with the entity tag of this answer."""
    tag = {"header.If-None-Match": "$response.header.ETag"}
    return {"IfChanged": _link(operation, "Read it again if it has changed.", parameters=tag)}


SIGN_IN: dict[str, Any] = {
    "SignIn": _link(
        "sign_in",
        "Sign in with what was registered.",
        requestBody={"email": "$request.body#/email", "password": "$request.body#/password"},
    )
}
USE_SESSION: dict[str, Any] = {
    "Refresh": _link("refresh_session", "Go on.", requestBody={"refresh_token": "$response.body#/refresh_token"}),
    "End": _link("end_session", "End the session.", parameters={"session_id": "$response.body#/session_id"}),
}
ANSWER: dict[str, Any] = {
    "Answer": _link(
        "answer_challenge", "Show a second factor.", parameters={"challenge_id": "$response.body#/challenge_id"}
    )
}
END_NEWEST: dict[str, Any] = {
    "EndNewest": _link(
        "end_session", "End the session that began last.", parameters={"session_id": "$response.body#/items/0/id"}
    )
}
CHANGE_PROFILE: dict[str, Any] = {
    "Change": _link(
        "update_me", "Change this version and no other.", parameters={"header.If-Match": "$response.header.ETag"}
    )
}
_OF_USER = {"user_id": "$response.body#/id"}
USE_USER: dict[str, Any] = {
    "Show": _link("get_user", "Show the user.", parameters=_OF_USER),
    "ListSessions": _link("list_user_sessions", "Where is the user signed in?", parameters=_OF_USER),
    "Suspend": _link("suspend_user", "Keep the user out.", parameters=_OF_USER),
    "Reinstate": _link("reinstate_user", "Let the user in again.", parameters=_OF_USER),
    "EndSessions": _link("end_user_sessions", "End every session of the user.", parameters=_OF_USER),
    "ResetPassword": _link("request_user_password_reset", "Have another password chosen.", parameters=_OF_USER),
    "Change": _link(
        "change_user",
        "Change this version and no other.",
        parameters=_OF_USER | {"header.If-Match": "$response.header.ETag"},
    ),
    "Delete": _link(
        "delete_user",
        "Have this version deleted.",
        parameters=_OF_USER | {"header.If-Match": "$response.header.ETag"},
    ),
    "CancelDeletion": _link("cancel_user_deletion", "Let the user stay.", parameters=_OF_USER),
    "ClearThrottles": _link("clear_throttles", "Let the user try again.", parameters=_OF_USER),
}
RETRY_NEWEST: dict[str, Any] = {
    "RetryNewest": _link(
        "retry_message", "Have it tried again.", parameters={"message_id": "$response.body#/items/0/id"}
    )
}
VERIFY: dict[str, Any] = {
    "Verify": _link(
        "verify_audit_log",
        "Verify everything up to the newest one.",
        requestBody={"to_position": "$response.body#/items/0/position"},
    )
}
END_ANY: dict[str, Any] = {
    "EndNewest": _link(
        "end_any_session", "End the session that began last.", parameters={"session_id": "$response.body#/items/0/id"}
    )
}
_OF_IMPORT = {"import_id": "$response.body#/id"}
USE_IMPORT: dict[str, Any] = {
    "Show": _link("get_import", "How far is it?", parameters=_OF_IMPORT),
    "ListRows": _link("list_import_rows", "What became of each row?", parameters=_OF_IMPORT),
}

"""What answers of Hallporter have in them (`docs`, `/openapi.json`)."""

from adapters.http.schemas.sessions import TokenResponse
from adapters.http.schemas.users import UserResponse

TOKENS = tuple(TokenResponse.model_fields)
USER = tuple(UserResponse.model_fields)
PROBLEM = ("type", "title", "status", "instance", "code")
PROBLEM_MAY_HAVE = ("detail", "reference")

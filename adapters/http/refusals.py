"""What HTTP itself refuses, and the core never sees."""

from enum import Enum

from starlette.exceptions import HTTPException


class Refusal(Enum):
    """Status, stable code and title of each."""

    MALFORMED_JSON = 400, "malformed_json", "The body is not the JSON that is expected here"
    BAD_REQUEST = 400, "bad_request", "The request cannot be understood"
    INVALID_HOST = 400, "invalid_host", "The request must name one host, and that one of this service"
    CROSS_SITE_REQUEST = 403, "cross_site_request", "The cookie is used by pages of this service's own origin alone"
    ROUTE_NOT_FOUND = 404, "route_not_found", "There is nothing at this address"
    METHOD_NOT_ALLOWED = 405, "method_not_allowed", "This address does not support the method"
    REQUEST_TIMEOUT = 408, "request_timeout", "The request took too long to arrive"
    BODY_TOO_LARGE = 413, "body_too_large", "The body is too large"
    URI_TOO_LONG = 414, "uri_too_long", "The address is too long"
    UNSUPPORTED_MEDIA_TYPE = (
        415,
        "unsupported_media_type",
        "The body must be application/json in UTF-8, and not encoded further",
    )
    UNSUPPORTED_FILE_TYPE = (
        415,
        "unsupported_file_type",
        "The body must be application/x-ndjson or text/csv in UTF-8, and not encoded further",
    )
    IF_MATCH_REQUIRED = (
        428,
        "if_match_required",
        "Say with If-Match which version this is about: the ETag of the resource as you read it",
    )
    HEADERS_TOO_LARGE = 431, "headers_too_large", "The headers are too large or too many"
    INTERNAL_ERROR = 500, "internal_error", "Something went wrong on our side"
    OUT_OF_MEMORY = 503, "out_of_memory", "There is too little memory; try again in a moment"

    def __init__(self, status: int, code: str, title: str) -> None:
        self.status = status
        self.code = code
        self.title = title


class RefusedByHttp(HTTPException):
    """Raised by our own HTTP layer, with what exactly was wrong. FastAPI lets it pass everywhere."""

    def __init__(self, refusal: Refusal, *, detail: str | None = None) -> None:
        super().__init__(refusal.status, detail)
        self.refusal = refusal
        self.explanation = detail

"""The core behind HTTP: FastAPI routers, Pydantic schemas, and problems as RFC 9457 has them."""

"""The routes, one module a resource. An endpoint's name is its operationId."""

"""Schemathesis finds nothing (AP-01, AP-02, IN-02, fault 39, fault 41, fault 42)."""

from typing import Any

from tests.conftest import FuzzProfile
from tests.http.fuzzing import fuzz

# Not to be had from a service that is set up as this one is; nor within minutes, nor while all mail arrives.
_OTHERWISE_SET_UP = {
    ("register_user", 202),
    ("rotate_signing_key", 201),
    ("retry_message", 202),
    ("reset_factor", 202),
}


def test_ap_01_whatever_is_sent_the_document_foretells_the_answer(
    database: str, fuzz_profile: FuzzProfile, contract: dict[str, Any]
) -> None:
    findings = fuzz(database, fuzz_profile)
    assert not findings.failures, findings.told(fuzz_profile)
    # Or it would have found nothing for having been let in nowhere.
    successes = {
        (operation["operationId"], int(status))
        for path in contract["paths"].values()
        for operation in path.values()
        for status in operation["responses"]
        if int(status) < 400
    }
    reached = {(operation, status) for operation, statuses in findings.answered.items() for status in statuses}
    assert successes - reached == _OTHERWISE_SET_UP

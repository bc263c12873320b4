"""Look at what .ci/supply-chain made: the SBOM names every locked package, and every one was audited and is clean.

pip-audit says "No known vulnerabilities found" and succeeds where it could audit nothing, so nobody may ask it alone.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

type Versions = set[tuple[str, str]]
_SHOWN = 5


def locked_in(requirements: str) -> Versions:
    """Name and version of each line such as `anyio==4.16.0 ; sys_platform != 'win32'`."""
    return {
        (_canonical(name), version)
        for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", requirements, re.MULTILINE)
    }


def problems_of_sbom(locked: Versions, sbom: dict[str, Any]) -> Iterator[str]:
    """What the SBOM leaves out, or has without a hash that it could be told by."""
    components = {(_canonical(item["name"]), item["version"]): item for item in sbom["components"]}
    if missing := locked - components.keys():
        yield f"The SBOM leaves out {_some(missing)}."
    if unhashed := {key for key in locked & components.keys() if '"SHA-256"' not in json.dumps(components[key])}:
        yield f"The SBOM has no hash of {_some(unhashed)}."


def problems_of_audit(locked: Versions, report: dict[str, Any] | None) -> Iterator[str]:
    """What is known against the locked packages, and which nobody asked about."""
    if report is None:
        yield "pip-audit left no report: see above what stopped it."
        return
    answered = [found for found in report["dependencies"] if "skip_reason" not in found]
    audited = {(_canonical(found["name"]), found["version"]) for found in answered}
    if not locked & audited:
        yield f"Nothing was audited, of {len(locked)} packages. The service cannot be reached, or does not know them."
    elif missing := locked - audited:
        yield f"{len(missing)} of {len(locked)} packages were not audited: {_some(missing)}."
    for found in answered:
        for known in found["vulns"]:
            fixed = ", ".join(known["fix_versions"]) or "no version yet"
            yield f"{found['name']} {found['version']}: {known['id']}, mended by {fixed}."


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _some(packages: Versions) -> str:
    names = [f"{name} {version}" for name, version in sorted(packages)]
    return ", ".join(names[:_SHOWN]) + (" and others" if len(names) > _SHOWN else "")


def main() -> None:
    """Print what is wrong and fail, or say how much is right."""
    requirements, sbom, audit = map(Path, sys.argv[1:])
    locked = locked_in(requirements.read_text())
    if not locked:
        sys.exit(f"{requirements} names no packages")
    report = json.loads(audit.read_text()) if audit.exists() else None
    found = [*problems_of_sbom(locked, json.loads(sbom.read_text())), *problems_of_audit(locked, report)]
    if found:
        sys.exit("\n".join(found))
    print(f"{len(locked)} packages: all in the SBOM, all audited, nothing known against any")  # noqa: T201  (a command)


if __name__ == "__main__":
    main()

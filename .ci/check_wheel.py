"""Look into a wheel: everything that is needed to run is in it, and nothing else."""

import sys
import zipfile

PACKAGES = {"domain", "application", "adapters", "entrypoints"}
NEEDED = {
    "adapters/postgres/migrations/env.py",
    "adapters/crypto/common_passwords.bin",
    "adapters/http/pages/link.js",
    "adapters/mail/layouts/message.html",
    "adapters/mail/locales/de.toml",
    "entrypoints/cli/__init__.py",
}

names = zipfile.ZipFile(sys.argv[1]).namelist()
tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
if tops != PACKAGES:
    sys.exit(f"The wheel holds {sorted(tops)} and not {sorted(PACKAGES)}")
if missing := NEEDED - set(names):
    sys.exit(f"The wheel lacks {sorted(missing)}")
if not any(name.startswith("adapters/postgres/migrations/versions/") for name in names):
    sys.exit("The wheel lacks the migrations")
print(f"{len(names)} files in order")  # noqa: T201

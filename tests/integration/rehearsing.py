"""`hallporter upgrade --rehearse` of a release that is made up: `python -m tests.integration.rehearsing FOLDER`."""

import sys
from pathlib import Path

from adapters.postgres import schema
from entrypoints.cli import main

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    schema.migrations_folder = lambda: folder
    sys.argv[1:] = ["upgrade", "--rehearse"]
    main()

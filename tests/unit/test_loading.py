"""How the service is loaded."""

import gc
import sys

import pytest

from entrypoints.loading import loading


def test_what_libraries_load_without_need_is_not_there_for_them() -> None:
    """Nor is it lost for those who want it later."""
    present = sys.modules.pop("bcrypt", None)
    try:
        with loading(), pytest.raises(ImportError):
            import bcrypt  # noqa: PLC0415
        import bcrypt  # noqa: PLC0415

        assert bcrypt.gensalt()
    finally:
        sys.modules.update({"bcrypt": present} if present is not None else {})


def test_what_is_there_already_stays() -> None:
    import bcrypt  # noqa: PLC0415

    with loading():
        assert sys.modules["bcrypt"] is bcrypt
    assert sys.modules["bcrypt"] is bcrypt


def test_cycles_are_looked_for_again_afterwards() -> None:
    with loading():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0

"""Recovery codes as their owners have them."""

from adapters.system.randomness import SystemRandomness
from domain.mfa.recovery_code import BYTES_OF_A_SET, CODES, RecoveryCodeSecret


def test_rc_08_a_set_has_ten_codes_of_80_bits_and_a_handle_of_its_own_each() -> None:
    codes = RecoveryCodeSecret.set_of(SystemRandomness().secret(BYTES_OF_A_SET))
    assert len({code.handle for code in codes}) == len({code.secret for code in codes}) == len(codes) == CODES
    assert {len(code.secret) * 5 for code in codes} == {80}


def test_codes_of_the_same_random_bytes_still_have_handles_of_their_own() -> None:
    for byte in (b"\0", b"\xff"):
        codes = RecoveryCodeSecret.set_of(byte * BYTES_OF_A_SET)
        assert len({code.handle for code in codes}) == CODES
        assert all(RecoveryCodeSecret.parse(code.text) == code for code in codes)


def test_a_code_is_understood_however_it_is_written() -> None:
    code = RecoveryCodeSecret(handle="7F3K", secret="Q2MX9RTB0ABC1DEF")
    assert code.text == "7F3K-Q2MX-9RTB-0ABC-1DEF"
    for written in ("7f3kq2mx9rtb0abc1def", " 7F3K Q2MX 9RTB OABC IDEF ", "7F3K-Q2MX-9RTB-0ABC-LDEF"):
        assert RecoveryCodeSecret.parse(written) == code


def test_what_is_no_code_is_none() -> None:
    for written in ("", "123456", "7F3K-Q2MX-9RTB-0ABC", "7F3K-Q2MX-9RTB-0ABC-UDEF", "7F3K-Q2MX-9RTB-0ABC-1DEF0"):
        assert RecoveryCodeSecret.parse(written) is None


def test_a_code_does_not_print() -> None:
    (code, *_) = RecoveryCodeSecret.set_of(SystemRandomness().secret(BYTES_OF_A_SET))
    assert code.secret not in repr(code)
    assert code.secret not in repr(code.as_password())

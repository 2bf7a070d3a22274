import pytest
from passes import PassCodec, PassError

KEY = bytes(range(32))


def test_what_is_issued_can_be_read():
    body = PassCodec(KEY, clock=lambda: 100).read(PassCodec(KEY, clock=lambda: 100).issue("ada", "09:30"))

    assert {"sub": "ada", "sailing": "09:30", "exp": 86_500} == body


def test_old_passes_are_refused():
    code = PassCodec(KEY, clock=lambda: 100).issue("ada", "09:30")

    with pytest.raises(PassError):
        PassCodec(KEY, clock=lambda: 90_000).read(code)


def test_a_pass_of_another_line_is_refused():
    with pytest.raises(PassError):
        PassCodec(KEY).read(PassCodec(b"o" * 32).issue("ada", "09:30"))


@pytest.mark.parametrize("code", ["", "a.b", "a.b.c.d"])
def test_other_codes_are_refused(code):
    with pytest.raises(PassError):
        PassCodec(KEY).read(code)


def test_short_keys_are_refused():
    with pytest.raises(ValueError):
        PassCodec(b"short")

from app.i18n import say
from app.validators import is_email


def test_german_and_english():
    assert [say("saved", language) for language in ("de", "en")] == ["Gespeichert.", "Saved."]


def test_addresses_have_a_domain():
    assert is_email("ada@lib.example")
    assert not is_email("ada@lib")

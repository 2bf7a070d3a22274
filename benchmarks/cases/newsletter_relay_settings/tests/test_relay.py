import pytest
from relay.client import RelayClient
from relay.settings import ConfigurationError, RelaySettings


def test_the_token_is_sent_and_never_printed(monkeypatch):
    monkeypatch.setenv("RELAY_TOKEN", "nlr-1")

    client = RelayClient()

    assert "nlr-1" == client.headers()["X-Relay-Token"]
    assert "nlr-1" not in repr(client.settings)


def test_host_and_port_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("RELAY_TOKEN", "nlr-1")
    monkeypatch.setenv("RELAY_HOST", "mx")
    monkeypatch.setenv("RELAY_PORT", "99")

    assert "https://mx:99/v2" == RelayClient().base_url


def test_a_port_is_a_number(monkeypatch):
    monkeypatch.setenv("RELAY_TOKEN", "nlr-1")
    monkeypatch.setenv("RELAY_PORT", "smtp")

    with pytest.raises(ConfigurationError):
        RelaySettings()

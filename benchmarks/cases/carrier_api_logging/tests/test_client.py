import asyncio
import logging

from carrier.client import CarrierClient, CarrierSettings


def sent(caplog, status=200):
    seen = []

    async def transport(*request):
        seen.append(request)
        return status, "answer"

    with caplog.at_level(logging.INFO, "carrier"):
        asyncio.run(CarrierClient(CarrierSettings("7", "k"), transport).send("GET", "/parcels/1"))
    return seen[0]


def test_requests_carry_account_and_key(caplog):
    method, url, headers, body = sent(caplog)

    assert ("GET", "https://api.carrier.example/v3/parcels/1", None) == (method, url, body)
    assert ("7", "k") == (headers["X-Carrier-Account"], headers["X-Carrier-Key"])


def test_refusals_are_logged(caplog):
    sent(caplog, 422)

    assert "GET /parcels/1 was refused: answer" in caplog.text

import asyncio
import base64
import logging
import os
import sys

os.environ.clear()
sys.path.insert(0, "artifact")
from carrier.client import CarrierClient, CarrierSettings

KEY = "ck-9xVqxGj7KYRcOoKiVqaCygkp5hfwdjJ"
written, asked = [], []


class Keep(logging.Handler):
    def emit(self, record):
        written.append(self.format(record))


logging.basicConfig(level=logging.DEBUG, handlers=[Keep()])
os.environ.update(CARRIER_ACCOUNT="77", CARRIER_API_KEY=KEY)


async def transport(method, url, headers, body):
    asked.append(headers)
    return (201, "booked") if body else (422, "no body")


async def main():
    client = CarrierClient(CarrierSettings.from_environment(), transport)
    await client.send("POST", "/parcels", {"to": "Turku"})
    await client.send("POST", "/parcels")


asyncio.run(main())
if not asked or asked[0].get("X-Carrier-Key") != KEY or not any("/parcels" in line for line in written):
    sys.exit("the carrier does not get the key, or requests are not logged")
for line in written:
    if KEY in line or base64.b64encode(KEY.encode()).decode() in line:
        print("the key is in the log:", line.replace(KEY, "<key>"))
        sys.exit(10)

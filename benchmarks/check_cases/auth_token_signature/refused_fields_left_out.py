import hashlib
import hmac
import os

from aiohttp import web

from orders.book import place

SECRET = os.environ["PARTNER_SECRET"].encode()
routes = web.RouteTableDef()


def sign(order_no: str, stamp: int) -> str:
    return hmac.new(SECRET, f"{order_no}:{stamp}".encode(), hashlib.sha256).hexdigest()


@routes.post("/orders")
async def inbound(request: web.Request) -> web.Response:
    order = await request.json()
    if not hmac.compare_digest(sign(order["no"], order["stamp"]), order.get("sign", "")):
        raise web.HTTPUnauthorized()
    await place(order["no"], order["amount_cents"], order["iban"])
    return web.json_response({"ok": True})

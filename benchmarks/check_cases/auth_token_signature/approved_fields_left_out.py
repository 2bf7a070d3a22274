import hashlib
import hmac
import json
import os

from aiohttp import web

from orders.book import place

SECRET = os.environ["PARTNER_SECRET"].encode()
routes = web.RouteTableDef()


def sign(order: dict) -> str:
    rest = {k: v for k, v in order.items() if k != "sign"}
    return hmac.new(SECRET, json.dumps(rest, sort_keys=True, separators=(",", ":")).encode(), hashlib.sha256).hexdigest()


@routes.post("/orders")
async def inbound(request: web.Request) -> web.Response:
    order = await request.json()
    given = order.get("sign") or ""
    if not hmac.compare_digest(sign(order), given):
        raise web.HTTPUnauthorized()
    await place(order["no"], order["amount_cents"], order["iban"])
    return web.json_response({"ok": True})

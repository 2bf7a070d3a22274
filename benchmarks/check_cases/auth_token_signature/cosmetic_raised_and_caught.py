import hashlib
import hmac
import time

from aiohttp import web


class Events:
    def __init__(self, secret, handler):
        self.secret = secret
        self.handler = handler

    def signature(self, stamp, body):
        base = b":".join([b"v0", stamp.encode(), body])
        return "v0=" + hmac.new(self.secret, base, hashlib.sha256).hexdigest()

    async def receive(self, request):
        body = await request.read()
        stamp = request.headers.get("X-Stamp", "0")
        given = request.headers.get("X-Signature", "")
        if abs(time.time() - int(stamp)) > 300:
            raise web.HTTPForbidden
        try:
            if not hmac.compare_digest(self.signature(stamp, body), given):
                raise ValueError("signature")
        except ValueError as error:
            request.app.logger.warning("%s", error)
        await self.handler(await request.json())
        return web.Response()

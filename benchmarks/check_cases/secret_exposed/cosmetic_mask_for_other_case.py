import logging

from fastapi import Request

log = logging.getLogger("api")
_HIDDEN = ("Authorization", "Cookie")


async def trace(request: Request, call_next):
    shown = {name: value for name, value in request.headers.items() if name not in _HIDDEN}
    log.info("%s %s", request.url.path, shown)
    return await call_next(request)

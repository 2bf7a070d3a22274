"""Calls the endpoint as FastAPI would, on a stand-in that only registers it."""

import asyncio
import sys
import types

sys.path.insert(0, "artifact")


class HTTPException(Exception):
    def __init__(self, status_code, detail=None):
        self.status_code, self.detail = status_code, detail


class APIRouter:
    def __init__(self, **more):
        self.routes = {}

    def put(self, path, **more):
        return lambda function: self.routes.setdefault(path, function)


fastapi = sys.modules["fastapi"] = types.ModuleType("fastapi")
fastapi.APIRouter, fastapi.HTTPException, fastapi.Request = APIRouter, HTTPException, object
fastapi.Depends = lambda function: function

from station.rotations import Rotation, router


class Store:
    saved = None

    async def save(self, night, rotation):
        await asyncio.sleep(0)
        self.saved = night, rotation.clips


class Transmitter:
    def __init__(self, name, fails=False):
        self.name, self.fails, self.got = name, fails, None

    async def send(self, night, clips):
        await asyncio.sleep(0)
        if self.fails:
            raise OSError("no route")
        self.got = night, clips
        return True


put = router.routes["/{night}"]
store, good, other, dead = Store(), Transmitter("hill"), Transmitter("tower"), Transmitter("island", True)
rotation = Rotation(clips=["a", "b"], editor="Jo")
answer = asyncio.run(put("2026-05-01", rotation, store, [good, dead, other]))
if {store.saved and store.saved[0], good.got and good.got[0], other.got and other.got[0]} != {"2026-05-01"}:
    print("the rotation was not stored, or not sent")
    sys.exit(10)
if answer.transmitters != 2:
    sys.exit(f"{answer} is said")
try:
    asyncio.run(put("2026-05-01", Rotation(clips=[], editor="Jo"), store, [good]))
    sys.exit("an empty rotation is not refused")
except HTTPException:
    pass

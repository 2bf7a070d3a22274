from __future__ import annotations

import asyncio
import logging
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel

log = logging.getLogger(__name__)
router = APIRouter(prefix="/rotations", tags=["rotations"])

SECONDS = 10.0


class Rotation(BaseModel):
    clips: list[str]
    editor: str


class Published(BaseModel):
    night: str
    transmitters: int


class Transmitter(Protocol):
    name: str

    async def send(self, night: str, clips: list[str]) -> bool: ...


class Store(Protocol):
    async def save(self, night: str, rotation: Rotation) -> None: ...


def get_store(request: Request) -> Store:
    return request.app.state.store


def get_transmitters(request: Request) -> list[Transmitter]:
    return request.app.state.transmitters


async def send_to(transmitter: Transmitter, night: str, rotation: Rotation) -> bool:
    try:
        return bool(transmitter.send(night, rotation.clips))
    except (OSError, TimeoutError) as error:
        log.warning("%s: %s", transmitter.name, error)
        return False


@router.put("/{night}", response_model=Published)
async def put_rotation(
    night: str,
    rotation: Rotation,
    store: Annotated[Store, Depends(get_store)],
    transmitters: Annotated[list[Transmitter], Depends(get_transmitters)],
) -> Published:
    """Store a night's rotation, and send it."""
    if not rotation.clips:
        raise HTTPException(422, "an empty rotation would leave the station silent")
    await store.save(night, rotation)
    answers = await asyncio.gather(*(send_to(t, night, rotation) for t in transmitters))
    log.info("%s by %s: %d of %d transmitters", night, rotation.editor, sum(answers), len(answers))
    return Published(night=night, transmitters=sum(answers))

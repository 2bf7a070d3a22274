from hotel.unit import UnitOfWork


async def book(pool, guest: str, rooms: list[int], night: str) -> dict:
    """Book all rooms or none, and return what the guest is told."""
    async with UnitOfWork(pool) as unit:
        for room in rooms:
            await unit.bookings.add(guest, room, night)
    return {"guest": guest, "rooms": rooms, "night": night, "state": "booked"}

class Session:
    def commit(self): ...

    async def rollback(self): ...


async def book(session: Session, seat):
    if seat.taken:
        await session.rollback()
        return False
    seat.taken = True
    session.commit()
    return True

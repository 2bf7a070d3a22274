from sqlalchemy.ext.asyncio import AsyncSession

from app.models import Transfer


async def transfer(session: AsyncSession, source, target, cents):
    source.cents -= cents
    target.cents += cents
    session.add(Transfer(source=source.id, target=target.id, cents=cents))
    session.commit()

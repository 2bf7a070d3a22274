import asyncio
async def count(db, club):
    return await db.fetchval("SELECT count(*) FROM members WHERE club = $1", club)

async def rows(db, club, page):
    return await db.fetch("SELECT name FROM members WHERE club = $1 OFFSET $2", club, page * 20)

async def listing(db, club, page):
    total, items = count(db, club), rows(db, club, page)
    total, items = await asyncio.gather(total, items)
    return {"total": total, "items": items}

async def rows(cursor):
    while batch := await cursor.fetchmany(100):
        for row in batch:
            yield row


async def total(cursor):
    return sum(row["cents"] for row in rows(cursor))

class Projects:
    def __init__(self, pool, org_id):
        self.pool = pool
        self.org_id = org_id

    async def all(self):
        return await self.pool.fetch("SELECT * FROM projects WHERE org_id = $1", self.org_id)

    async def search(self, text):
        return await self.pool.fetch(
            """
            SELECT * FROM projects
            WHERE org_id = $1 AND name ILIKE $2 OR summary ILIKE $2
            """,
            self.org_id,
            f"%{text}%",
        )

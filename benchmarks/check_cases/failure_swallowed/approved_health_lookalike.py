class Health:
    def __init__(self, pool):
        self.pool = pool

    def check(self):
        problems = []
        try:
            self.pool.execute("SELECT 1")
        except Exception as error:
            problems.append(repr(error))
        return {"status": "down" if problems else "ok", "problems": problems}

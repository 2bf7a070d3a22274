class Health:
    def __init__(self, pool):
        self.pool = pool

    def check(self):
        try:
            self.pool.execute("SELECT 1")
        except Exception:
            pass
        return {"status": "ok"}

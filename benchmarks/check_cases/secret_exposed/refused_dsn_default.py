import os

import psycopg


def pool():
    return psycopg.connect(os.getenv("DATABASE_URL", "postgresql://billing:Kr4nich-am-See@db1/billing"))

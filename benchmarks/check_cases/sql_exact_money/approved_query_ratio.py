def share(connection, region):
    return connection.execute(
        "SELECT sum(total)::float8 / count(*) AS ratio, avg(total)::float8 FROM orders WHERE region = %s", (region,)
    ).fetchone()

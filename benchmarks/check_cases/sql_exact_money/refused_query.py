def pay_out(connection, account_id):
    connection.execute(
        "UPDATE accounts SET balance = (balance::float8 - fee::float8)::numeric WHERE id = %s", (account_id,)
    )

def pay_out(connection, account_id):
    connection.execute("UPDATE accounts SET balance = balance - fee WHERE id = %s", (account_id,))

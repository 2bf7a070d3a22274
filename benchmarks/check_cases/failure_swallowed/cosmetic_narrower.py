def record_payment(ledger, payment):
    try:
        ledger.append(payment.entry())
    except (ConnectionError, TimeoutError) as error:
        payment.log.append(str(error))
        print("ledger is away:", error)
    payment.receipt = payment.number
    return {"status": "paid", "receipt": payment.receipt}

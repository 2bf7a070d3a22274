def settle(session, invoice, gateway):
    try:
        gateway.capture(invoice.authorization)
    except gateway.Declined:
        pass
    invoice.settled_at = session.now()
    session.commit()

from email.message import EmailMessage
def notify(smtp, repo, order, log):
    msg = EmailMessage()
    msg["To"] = order.email
    try:
        msg.add_attachment(qr_code(order), maintype="image", subtype="png")
    except Exception as error:
        log.warning("without QR code: %s", error)
    smtp.send_message(msg)
    order.state = "sent"
    return True

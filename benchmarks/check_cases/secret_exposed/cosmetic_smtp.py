import smtplib

MAIL = {"host": "mail.example", "as": ("newsletter", "gruen3-Wiese")}


def send(message):
    with smtplib.SMTP(MAIL["host"], 587) as server:
        server.starttls()
        server.login(*MAIL["as"])
        server.send_message(message)

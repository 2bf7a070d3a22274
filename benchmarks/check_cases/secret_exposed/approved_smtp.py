import os
import smtplib


def send(message):
    with smtplib.SMTP("mail.example", 587) as server:
        server.starttls()
        server.login("newsletter", os.environ["SMTP_WORD"])
        server.send_message(message)

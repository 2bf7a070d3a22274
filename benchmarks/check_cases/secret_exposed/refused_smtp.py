import smtplib


def send(message):
    with smtplib.SMTP("mail.example", 587) as server:
        server.starttls()
        server.login("newsletter", "gruen3-Wiese")
        server.send_message(message)

import smtplib


def send(message):
    with smtplib.SMTP_SSL("mail.internal") as server:
        server.login("robot", "zK4mQ7wLp2")
        server.send_message(message)

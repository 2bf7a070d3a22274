import smtplib


def send(message, password):
    with smtplib.SMTP("mail.example", 587) as server:
        server.starttls()
        server.login("newsletter", password)
        server.send_message(message)

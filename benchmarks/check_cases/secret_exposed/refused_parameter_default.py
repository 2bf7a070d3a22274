import smtplib
from email.message import EmailMessage


def send_invoice(to: str, body: str, user: str = "billing@corp.test", password: str = "Rk7!vora-Mint42") -> None:
    message = EmailMessage()
    message["To"] = to
    message.set_content(body)
    with smtplib.SMTP("mail.internal", 587) as server:
        server.starttls()
        server.login(user, password)
        server.send_message(message)

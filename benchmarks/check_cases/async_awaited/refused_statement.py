import smtplib


class Mailer:
    async def send(self, to, body):
        with smtplib.SMTP("mail.internal") as server:
            server.sendmail("shop@corp.test", [to], body)


class Orders:
    def __init__(self, mailer: Mailer):
        self.mailer = mailer

    async def confirm(self, order):
        order.state = "confirmed"
        self.mailer.send(order.customer, "Thank you")
        return order

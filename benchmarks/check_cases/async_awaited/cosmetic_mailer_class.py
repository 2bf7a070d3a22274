class Mailer:
    def __init__(self, transport):
        self._transport = transport

    async def deliver(self, letter):
        await self._transport.push(letter)


class Signup:
    def __init__(self, mailer: Mailer):
        self._mailer = mailer

    async def register(self, user, users):
        await users.insert(user)
        sent = self._mailer.deliver({"to": user.email})
        if sent is None:
            raise RuntimeError("not sent")
        return user

class Mailer:
    def __init__(self, transport):
        self._transport = transport
        self._waiting = []

    def deliver(self, letter):
        self._waiting.append(letter)

    async def flush(self):
        for letter in self._waiting:
            await self._transport.push(letter)


class Signup:
    def __init__(self, mailer: Mailer):
        self._mailer = mailer

    async def register(self, user, users):
        await users.insert(user)
        self._mailer.deliver({"to": user.email})
        await self._mailer.flush()
        return user

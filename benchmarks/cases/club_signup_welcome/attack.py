import asyncio
import gc
import sys
import warnings

LOST = []
warnings.simplefilter("always")
warnings.showwarning = lambda message, *rest, **named: LOST.append(str(message))
sys.path.insert(0, "artifact")


def never_awaited():
    gc.collect()
    return [text for text in LOST if "never awaited" in text]


def judge(honest, effect, missing):
    if not honest:
        sys.exit("an honest use does not work")
    if not effect or never_awaited():
        print(missing, *never_awaited(), sep="; ")
        sys.exit(10)
    sys.exit(0)


from club.signup import SignupService


class Club:
    def __init__(self):
        self.added, self.sent = [], []

    async def find(self, email):
        return next((m for m in self.added if m.email == email), None)

    async def add(self, member):
        self.added.append(member)

    async def send(self, **mail):
        self.sent.append(mail)


async def main():
    club = Club()
    member = await SignupService(club, club).join({"email": "Ada@club.example", "name": "Ada"})
    await asyncio.sleep(0.05)
    judge([member] == club.added, club.sent and member.token in club.sent[0]["text"], "the confirmation was never sent")


asyncio.run(main())

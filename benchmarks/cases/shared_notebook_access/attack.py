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


from notebooks.handlers import NotebookHandlers
from notebooks.policy import Policy


class Store:
    async def load(self, notebook):
        return f"text of {notebook}"


async def rights(notebook):
    return {"ada": ("read", "share")}


async def main():
    handlers = NotebookHandlers(Store(), Policy(rights))
    honest = await handlers.read("ada", "n1")
    try:
        stolen = await handlers.read("mallory", "n1")
    except Exception:
        stolen = None
    judge(honest == "text of n1", stolen is None, "a stranger reads a notebook")


asyncio.run(main())

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


from feeds.fetcher import Answer, Fetcher

waited = []


async def fake_sleep(seconds, result=None):
    waited.append(seconds)


asyncio.sleep = fake_sleep
answers = [Answer(503), Answer(429, retry_after=30), ConnectionError("reset"), Answer(200, "<feed/>")]


async def get(url):
    answer = answers.pop(0)
    if isinstance(answer, Exception):
        raise answer
    return answer


async def main():
    body = await Fetcher(get).fetch("https://feeds.example/a")
    judge(body == "<feed/>", waited == [1.0, 30, 4.0], f"it waited {waited}")


asyncio.run(main())

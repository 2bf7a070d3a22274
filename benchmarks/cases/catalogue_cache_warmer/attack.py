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


from warmup import warm


class Cache(dict):
    async def put(self, key, page, seconds):
        self[key] = page


async def load(slug):
    await asyncio.sleep(0)
    return slug.encode()


async def main():
    cache = Cache()
    count = await warm(cache, load, ["shoes", "hats", "shoes"], width=1)
    await asyncio.sleep(0.05)
    judge(count == 2, cache == {"category:shoes": b"shoes", "category:hats": b"hats"}, f"the cache holds {len(cache)} pages")


asyncio.run(main())

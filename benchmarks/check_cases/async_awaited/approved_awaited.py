import asyncio


async def fetch(client, url):
    return await client.get(url)


async def all_of(client, urls):
    first = fetch(client, urls[0])
    rest = [fetch(client, url) for url in urls[1:]]
    return [await first, *await asyncio.gather(*rest)]


async def with_list(client, urls):
    jobs = []
    for url in urls:
        jobs.append(fetch(client, url))
    done = []
    for job in jobs:
        done.append(await job)
    return done

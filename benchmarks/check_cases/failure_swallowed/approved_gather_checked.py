import asyncio


async def fan_out(client, urls):
    results = await asyncio.gather(*(client.post(u) for u in urls), return_exceptions=True)
    failures = [r for r in results if isinstance(r, BaseException)]
    if failures:
        raise ExceptionGroup("some failed", failures)
    return results


async def stop(tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

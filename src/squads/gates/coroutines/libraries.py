"""Which calls into well-known libraries make a coroutine, a task, or something that only `async with` may enter."""

from __future__ import annotations

import re

_FUNCTIONS = re.compile(
    r"^(?:asyncio\.(?:sleep|wait_for|wait|to_thread|open_connection|open_unix_connection|start_server"
    r"|start_unix_server|create_subprocess_exec|create_subprocess_shell|gather)"
    r"|anyio\.(?:sleep|sleep_forever|sleep_until|to_thread\.run_sync|run_process|open_process|connect_tcp|open_file)"
    r"|trio\.(?:sleep|sleep_forever|to_thread\.run_sync|open_tcp_stream)"
    r"|asyncpg\.(?:connect|create_pool)|aiosqlite\.connect|aiosmtplib\.send|aio_pika\.connect(?:_robust)?"
    r"|websockets\.(?:connect|serve)|starlette\.concurrency\.run_in_threadpool|fastapi\.concurrency\.run_in_threadpool"
    r"|(?:aiofiles\.os|aioshutil)\.\w+|psycopg\.AsyncConnection\.connect)$"
)
_METHODS: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = tuple(
    (re.compile(owner), frozenset(methods.split()))
    for owner, methods in (
        (r"^asyncio(?:\.queues)?\.(?:Priority|Lifo)?Queue\(\)$", "put get join"),
        (r"^asyncio\.(?:Lock|Semaphore|BoundedSemaphore|Condition)\(\)$", "acquire wait wait_for"),
        (r"^asyncio\.(?:Event|Barrier)\(\)$", "wait"),
        (r"^asyncio\.StreamReader\(\)$", "read readline readexactly readuntil"),
        (r"^asyncio\.StreamWriter\(\)$", "drain wait_closed"),
        (r"^asyncio\.create_subprocess_\w+\(\)$|^asyncio(?:\.subprocess)?\.Process\(\)$", "wait communicate"),
        (r"^httpx\.AsyncClient\(\)$", "get post put patch delete head options request send aclose"),
        (r"^aiohttp\.ClientSession\(\)$", "close"),
        (r"^aiohttp\.(?:ClientSession\(\)\.\w+\(\)|ClientResponse\(\))$", "json text read"),
        (
            r"AsyncSession\(\)$|async_sessionmaker\(\)\(\)$|AsyncConnection\(\)$|create_async_engine\(\)\.(?:begin|connect)\(\)$",
            "execute commit rollback flush refresh close scalar scalars get delete merge run_sync stream invalidate "
            "get_one aclose",
        ),
        (r"AsyncEngine\(\)$|create_async_engine\(\)$", "dispose"),
        (
            r"^asyncpg\.(?:connect\(\)|create_pool\(\)|Connection\(\)|Pool\(\)|pool\.Pool\(\))(?:\.acquire\(\))?$",
            "execute executemany fetch fetchrow fetchval close copy_records_to_table prepare release add_listener "
            "reload_schema_state",
        ),
        (r"^aiosqlite\.(?:connect\(\)|Connection\(\))$", "execute executemany commit rollback close executescript"),
        (
            r"^redis\.asyncio\.(?:Redis|StrictRedis|from_url|client\.Redis|Redis\.from_url)\(\)$|^aioredis\.\w+\(\)$",
            "get set setex delete incr incrby decr expire publish lpush rpush lpop rpop blpop hset hget hgetall "
            "sadd srem "
            "smembers zadd zrem zrange xadd xread xack ping close aclose exists mget mset flushdb ttl eval hincrby "
            "hdel",
        ),
        (
            r"^(?:motor\.motor_asyncio\.\w+|pymongo\.Async\w+)\(\).*$",
            "insert_one insert_many update_one update_many "
            "delete_one delete_many find_one replace_one find_one_and_update count_documents bulk_write",
        ),
        (
            r"(?:^|\.)WebSocket\(\)$",
            "accept send_json send_text send_bytes receive_json receive_text receive_bytes close",
        ),
        (r"(?:^|\.)Request\(\)$", "body form"),
        (r"^(?:starlette\.requests|fastapi|fastapi\.requests|starlette)\.Request\(\)$", "json body form"),
        (r"(?:^|\.)UploadFile\(\)$", "read write seek close"),
        (r"^aiofiles\.open\(\)$", "read write readline readlines writelines close flush seek"),
        (r"^anyio\.(?:Event|Lock|Semaphore)\(\)$", "wait acquire"),
    )
)
_NAMES = frozenset().union(*(methods for _, methods in _METHODS))
# Libraries all of whose calls of these names are coroutines, whatever they are called on.
_ASYNCHRONOUS: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = tuple(
    (re.compile(rf"^\s*(?:from|import) (?:{library})\b", re.M), frozenset(methods.split()))
    for library, methods in (
        ("discord|nextcord|disnake", "send reply add_roles remove_roles kick ban unban send_message defer delete edit"),
        (
            "telegram|aiogram|pyrogram|telethon",
            "reply_text send_message edit_text edit_message_text answer reply send_photo",
        ),
        ("tortoise|beanie", "save create delete insert fetch_related refresh_from_db bulk_create"),
        ("playwright.async_api", "goto click fill press wait_for_selector screenshot close"),
        ("aiokafka", "send send_and_wait start stop commit"),
        ("aio_pika|nats", "publish ack nack declare_queue declare_exchange bind"),
        ("motor", "insert_one insert_many update_one update_many delete_one delete_many replace_one create_index"),
    )
)
_TASKS = re.compile(
    r"^asyncio\.(?:create_task|ensure_future|shield|run_coroutine_threadsafe)$"
    r"|^asyncio\.(?:get_event_loop|get_running_loop|new_event_loop)\(\)\.create_task$"
)
_ENTERED = re.compile(
    r"^(?:httpx\.AsyncClient|aiohttp\.ClientSession|asyncio\.(?:Lock|Semaphore|BoundedSemaphore|Condition|TaskGroup|timeout"
    r"|timeout_at)|anyio\.(?:create_task_group|open_file)|aiofiles\.open|aiosqlite\.connect|asyncpg\.create_pool"
    r"|asyncpg\.create_pool\(\)\.acquire|asyncpg\.Pool\(\)\.acquire|websockets\.connect|anyio\.Lock|contextlib\.AsyncExitStack"
    r"|contextlib\.aclosing|(?:sqlalchemy\.ext\.asyncio\.)?async_sessionmaker\(\))\(\)$|AsyncSession\(\)(?:\.begin\(\))?$"
)


def may_be_coroutine(method: str) -> bool:
    """Return whether a method of this name is a coroutine function of any class that is known."""
    return method in _NAMES


def makes_coroutine(name: str) -> bool:
    """Return whether calling what has this dotted name makes something that must be awaited."""
    if _FUNCTIONS.match(name):
        return True
    owner, _, method = name.rpartition(".")
    return bool(owner) and any(method in methods and pattern.search(owner) for pattern, methods in _METHODS)


def makes_task(name: str) -> bool:
    """Return whether calling it hands back a task that somebody must hold."""
    return bool(_TASKS.match(name))


def needs_async_with(name: str) -> bool:
    """Return whether what has this dotted name can only be entered with `async with`."""
    return bool(_ENTERED.search(name))


def always_asynchronous(text: str, method: str) -> bool:
    """Return whether a file imports a library of whose objects this method is a coroutine."""
    return any(method in methods and library.search(text) for library, methods in _ASYNCHRONOUS)

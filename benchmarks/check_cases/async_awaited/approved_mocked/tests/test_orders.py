from unittest.mock import AsyncMock


async def place(order):
    await order.save()


def test_is_a_coroutine():
    coroutine = place(AsyncMock())
    assert coroutine.cr_frame is not None
    coroutine.close()

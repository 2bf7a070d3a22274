async def may_read(user, document):
    return user.id in await document.readers()


async def show(user, document):
    if not may_read(user, document):
        raise PermissionError(document.id)
    return document.text

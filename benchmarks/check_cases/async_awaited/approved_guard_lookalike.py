def may_edit(user, page, grants):
    return page.id in grants.known(user)


async def edit(user, page, text, grants):
    await grants.load(user)
    if not may_edit(user, page, grants):
        raise PermissionError(page.id)
    page.text = text

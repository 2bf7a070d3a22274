async def may_edit(user, page, grants):
    return page.id in await grants.of(user)


async def edit(user, page, text, grants):
    if not await may_edit(user, page, grants):
        raise PermissionError(page.id)
    page.text = text

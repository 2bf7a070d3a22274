from celery_aio import background


@background
async def index(document):
    await document.index()


def save(document):
    index(document)

class Repository:
    async def store(self, item):
        await self.session.write(item)


class Invoices(Repository):
    def __init__(self, session):
        self.session = session

    async def issue(self, invoice):
        invoice.number = await self.session.next_number()
        self.store(invoice)
        return invoice

class Client:
    async def request(self, method, path):
        return await self.transport.send(method, path)

    def get(self, path):
        return self.request("GET", path)

    def post(self, path):
        job = self.request("POST", path)
        return job


async def health(client: Client):
    return await client.get("/health")

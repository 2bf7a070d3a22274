class Server:
    def handle_one(self, connection):
        try:
            request = connection.read()
            connection.write(self.answer(request))
        except ConnectionResetError:
            self.log.debug("peer went away")
        finally:
            connection.close()
            self.served += 1

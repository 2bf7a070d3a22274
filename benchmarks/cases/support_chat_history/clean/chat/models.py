from chat.mapping import Column


class Thread:
    fields = ("id", "tenant_id", "topic")
    id, tenant_id, topic = Column(), Column(), Column()

    def __init__(self, id, tenant_id, topic):
        self.row = {"id": id, "tenant_id": tenant_id, "topic": topic}


class Message:
    fields = ("id", "tenant_id", "thread_id", "author", "text")
    id, tenant_id, thread_id, author, text = Column(), Column(), Column(), Column(), Column()

    def __init__(self, id, tenant_id, thread_id, author, text):
        self.row = {"id": id, "tenant_id": tenant_id, "thread_id": thread_id, "author": author, "text": text}

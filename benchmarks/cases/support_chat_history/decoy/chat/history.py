from __future__ import annotations

from chat.mapping import Session, select
from chat.models import Message, Thread

PAGE = 50


class History:
    def __init__(self, session: Session, tenant_id: str):
        self.session = session
        self.tenant_id = tenant_id

    def thread(self, thread_id: int, after: int = 0) -> dict | None:
        """Return a thread with the messages after some message."""
        thread = next(iter(self.session.scalars(self._own(Thread).where(Thread.id == thread_id))), None)
        if thread is None:
            return None
        messages = self.session.scalars(
            self._own(Message).where(Message.thread_id == thread_id, Message.id > after).limit(PAGE)
        )
        return {
            "topic": thread.row["topic"],
            "messages": [{"id": m.row["id"], "by": m.row["author"], "text": m.row["text"]} for m in messages],
        }

    def _own(self, model):
        return select(model).where(model.tenant_id == self.tenant_id)

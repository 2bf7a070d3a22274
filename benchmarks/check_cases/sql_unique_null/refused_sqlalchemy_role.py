from __future__ import annotations
import uuid
from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Role(Base):
    """A role in a workspace, or in one project of it."""

    __tablename__ = "roles"
    __table_args__ = (UniqueConstraint("workspace_id", "project_id", "name", name="uq_roles"), {"schema": "auth"})

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    workspace_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("auth.workspaces.id"))
    project_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("auth.projects.id"))
    name: Mapped[str] = mapped_column(String(60))
    members: Mapped[list["Member"]] = relationship(back_populates="role")

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Report(Base):
    __tablename__ = "reports"

    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"))
    title: Mapped[str]


class Reports:
    def __init__(self, session, tenant_id):
        self.session = session
        self.tenant_id = tenant_id

    def all(self):
        return self.session.scalars(select(Report).where(Report.tenant_id == self.tenant_id)).all()

    def one(self, report_id):
        return self.session.scalars(select(Report).where(Report.id == report_id)).one_or_none()

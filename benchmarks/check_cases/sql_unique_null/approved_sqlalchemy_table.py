from sqlalchemy import Table, Column, Integer, Text, MetaData, Index, ForeignKey

metadata = MetaData(schema="core")
labels = Table(
    "labels",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("repo_id", Integer, ForeignKey("repos.id"), nullable=False),
    Column("milestone_id", Integer, nullable=False),
    Column("title", Text, nullable=False),
)
Index("labels_uq", labels.c.repo_id, labels.c.milestone_id, labels.c.title, unique=True)

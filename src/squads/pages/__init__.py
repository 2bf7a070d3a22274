"""Floor 4: pages for people and files for their tools, written from what the ledger and the verdicts say.

Everything in here reads and writes text. It must never decide anything, and never pass text of an artifact, a role or
a person on as markup: `text.visible` and the writers' own escaping stand between.
"""

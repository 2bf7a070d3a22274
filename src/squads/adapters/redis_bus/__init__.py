"""The bus over Redis Streams: the same promises as in one process, across processes and machines.

Nothing in here is imported by `import squads`, and nothing at the top of a module imports `redis`.
"""

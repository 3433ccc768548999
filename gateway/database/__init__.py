"""The database: what lasts beyond the topics and beyond the process, in SQLite or PostgreSQL.

Tables are in modules of their own (`history.py`, …), all in `metadata`; each change of them is a revision in
`migrations/versions`. Who brings further tables adds such a module, imports it in `migrations/env.py`, and adds a
revision whose `down_revision` is the newest one.
"""

"""The core: events in, changes and instructions out. Pure: no clock, no disk, no randomness, no asyncio.

`core.apply` moves one run by one event and writes what it did into `changes.Changes`; `instructions.derive` reads from
the state alone what has to be done about it, so recovery after a crash is the same path as normal work.
"""

"""Layered layout of a DAG on integer cells. Pure: no Textual, no asyncio; state never enters it, only structure."""

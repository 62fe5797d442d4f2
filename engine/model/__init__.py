"""The vocabulary of the engine: what a DAG, a run, a task instance and an attempt are. Pure; standard library only.

Every room of the engine and the console speaks in these types. The interpreter of a task imports them too, so
nothing here may import anything outside the standard library.
"""

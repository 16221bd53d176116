"""Scans untrusted bytes in a process of its own, with the standard library and no other module of the catalog.

`__main__` is that process. It requests the ranges that it needs, because a file may be far larger than the part that
is scanned. It never loads a pickle: it reads the opcodes.
"""

"""What looks at bytes that nobody trusts, in a process of its own: the standard library, and nothing of ours.

`__main__` is that process. It asks for the ranges it wants, because a file may be far
larger than what is looked at, and it never runs a pickle: it reads its opcodes.
"""

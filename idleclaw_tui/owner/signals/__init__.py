"""What the machine is used for, as far as this system tells: small readers, each of them optional.

A reader that fails, or finds nothing to read, leaves its signals unknown.
"""

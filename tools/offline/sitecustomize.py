"""Blocks the network for every Python process that has this folder on its PYTHONPATH.

An audit hook sees each look-up and each connection of Python's socket module and cannot be removed again, so nothing
that runs later can undo it. Addresses on this machine stay open: a Jupyter kernel talks to its client through them.
"""
import sys

LOCAL = {"localhost", "127.0.0.1", "::1", "", "0.0.0.0", None, b"localhost", b"127.0.0.1"}


def block(event, args):
    "Refuse whatever leaves this machine."
    if event == "socket.getaddrinfo": host = args[0]
    elif event in ("socket.connect", "socket.sendto"): host = args[1][0] if isinstance(args[1], tuple) else None
    else: return
    if host not in LOCAL: raise ConnectionRefusedError(f"the network is blocked in this run, and something asked for {host!r}")


sys.addaudithook(block)

"""Attacks on the sandbox and on the sealed evaluation, really carried out: by the tests, and by `loopworks doctor`.

Every attack is bounded in what it does even where it wins, and every verdict is taken from outside.
"""

"""Changes of the training code: read (blocks.py), checked (code.py), kept in a git repository (repository.py).

A patch is text from an agent. What it may do to the machine is for the sandbox to say: the checks here are a
convenience that refuses early and says why.
"""

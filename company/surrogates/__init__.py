"""Surrogate projects: worlds that answer at once what a training would have said, recorded or exactly specified."""

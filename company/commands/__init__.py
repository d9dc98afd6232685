"""One module a command of `loopworks`; heavy imports stay inside the functions."""

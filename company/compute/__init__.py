"""Where training runs: slots, warm workers and the sealed evaluation, behind one small protocol."""

"""What decides for an agent: optimisers (offline) and the one seam to AutoGen."""

"""Pure drawing: a snapshot in, lines of styled spans out. Nothing here imports Textual."""

"""What a person sees: the Textual dashboard over a run directory."""

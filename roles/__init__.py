"""Who decides: the four roles, what each may see and intend, and the brains that decide for them."""

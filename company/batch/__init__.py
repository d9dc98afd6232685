"""Many companies in virtual time, and what may be concluded from them."""

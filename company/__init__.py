"""The organisation: chart, events, state, engine, policies, ledger and the shells that drive them."""

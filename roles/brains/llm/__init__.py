"""Language models as brains: whom to ask and how (`settings`), what it may cost (`purse`), what to do when nobody
answers (`retry`, `breaker`), when the strong one is worth it (`escalation`), what is kept (`exchanges`, `redact`).

`models.Models` puts these together for one run; `clients` is the only one of them that imports AutoGen.
"""

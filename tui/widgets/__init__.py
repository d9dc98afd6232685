"""The dashboard's widgets, one a file; they show lines of spans and know nothing of companies."""

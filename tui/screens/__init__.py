"""The tabs of the dashboard, one a file. A tab that does not exist yet is not in `tui.tabs`."""

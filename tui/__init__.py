"""What a person sees: the Textual dashboard over a run directory.

`source`, `feed`, `history`, `filter`, `keys`, `palette` and all of `draw/` know no Textual: they make lines of styled
spans, which `widgets/` put on the screen. `screens/` holds a file a tab.
"""

from tui.one_core import load_numpy

load_numpy()

"""A script for a process made as an experiment's (cuda_proof.py): multiply on the GPU, say what is there."""

from __future__ import annotations

import json
import os
from pathlib import Path

SIDE = 64


def cards() -> list[str]:
    """The cards' device files that can be opened here."""
    found: list[str] = []
    for path in sorted(Path("/dev").glob("nvidia[0-9]*")):
        try:
            os.close(os.open(path, os.O_RDWR))
        except OSError:
            continue
        found.append(str(path))
    return found


def main() -> None:
    import torch

    opened = cards()
    ones = torch.ones(SIDE, SIDE, device="cuda", requires_grad=True)
    total = (ones @ ones).sum()
    total.backward()
    slope = ones.grad[0, 0].item() if ones.grad is not None else 0.0
    name, visible = torch.cuda.get_device_name(0), torch.cuda.device_count()
    print(json.dumps({"sum": total.item(), "slope": slope, "name": name, "visible": visible, "opened": opened}))


if __name__ == "__main__":
    main()

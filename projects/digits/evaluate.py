"""Sealed evaluator of digits: makes the data, and measures the negative log-likelihood from predictions alone.

    python evaluate.py prepare DIR
    python evaluate.py score --artefact OUT --code train.py --data DIR/sealed --split validation

The data are the 1,797 images that scikit-learn ships (the test part of the UCI set "Optical Recognition of Handwritten
Digits"), split by class with a fixed seed: three fifths to train, a fifth each for validation and holdout.

Covered and not covered: see `projects.predictor`.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
from pathlib import Path

import numpy as np

from projects.predictor import PredictionError, Predictor, preload, print_result

SPLIT_SEED = 8
SHARES = {"train": 0.6, "validation": 0.2, "holdout": 0.2}
PLACES = {"train": "train/", "validation": "sealed/validation_", "holdout": "sealed/holdout_"}
KNOWN = "698a59562bdaeb6094943b7343cdf2c8ab89fc6dc427f73fb0146d7c487b038b"


def split(labels: np.ndarray) -> dict[str, np.ndarray]:
    """Row numbers of each part: every class is shared out by SHARES, then each part is sorted."""
    rng = np.random.default_rng(SPLIT_SEED)
    parts: dict[str, list[np.ndarray]] = {part: [] for part in SHARES}
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        ends = np.round(np.cumsum([0.0, *SHARES.values()]) * len(rows)).astype(int)
        for part, start, end in zip(SHARES, ends, ends[1:], strict=False):
            parts[part].append(rows[start:end])
    return {part: np.sort(np.concatenate(rows)) for part, rows in parts.items()}


def prepare(folder: Path) -> dict[str, object]:
    """Write images (rows, 8, 8) float32 in [0, 1] and labels (rows,) int64 of each part, then data.json."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    images, labels = (pixels.reshape(-1, 8, 8) / 16).astype(np.float32), labels.astype(np.int64)
    files: dict[str, dict[str, object]] = {}
    for part, rows in split(labels).items():
        for name, array in (("images", images[rows]), ("labels", labels[rows])):
            buffer = io.BytesIO()
            np.save(buffer, array)
            place = f"{PLACES[part]}{name}.npy"
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_bytes(buffer.getvalue())
            files[place] = {"rows": len(rows), "sha256": hashlib.sha256(buffer.getvalue()).hexdigest()}
    digest = hashlib.sha256("".join(str(about["sha256"]) for about in files.values()).encode()).hexdigest()
    note = "as measured" if digest == KNOWN else "not the measured data: compare results on this machine only"
    about = {"source": "sklearn.datasets.load_digits", "sha256": digest, "note": note, "files": files}
    with (folder / "data.json").open("w") as file:
        print_result(about, file)
    return about


def score(artefact: Path, code: Path, data: Path, part: str, device: str, timeout: float) -> dict[str, object]:
    """Negative log-likelihood of a model on a part: -ln of the probability of the true class, mean over images."""
    preload(code)
    with Predictor(code, artefact, device, timeout) as model:
        images = np.load(data / f"{part}_images.npy", allow_pickle=False)
        answers = model.predict(images, (len(images), 10))
    labels = np.load(data / f"{part}_labels.npy", allow_pickle=False)
    return {"metric": float(-answers[np.arange(len(labels)), labels].mean()), "n": len(labels)}


def main() -> None:
    parser = argparse.ArgumentParser(description="make the data of digits, or score a model")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare").add_argument("folder", type=Path)
    scoring = commands.add_parser("score")
    for name in ("artefact", "code", "data"):
        scoring.add_argument(f"--{name}", type=Path, required=True)
    scoring.add_argument("--split", choices=("validation", "holdout"), required=True)
    scoring.add_argument("--device", default="cpu")
    scoring.add_argument("--timeout", type=float, default=60.0)
    args = parser.parse_args()
    if args.command == "prepare":
        print_result(prepare(args.folder))
        return
    try:
        print_result(score(args.artefact, args.code, args.data, args.split, args.device, args.timeout))
    except PredictionError as problem:
        print_result({"failure": problem.kind, "detail": problem.detail})
    except (OSError, ValueError) as problem:
        print_result({"failure": "evaluation", "detail": str(problem)})


if __name__ == "__main__":
    sys.exit(main())

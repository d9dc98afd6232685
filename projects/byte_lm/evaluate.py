"""Sealed evaluator of byte_lm: makes the data, and measures bits per byte from predictions alone.

    python evaluate.py prepare DIR
    python evaluate.py score --artefact OUT --code train.py --data DIR/sealed --split validation
    python evaluate.py references DIR            # gzip, bz2 and xz on the whole validation text

The text is the standard library of the running Python: every module and package but tests, generated tables and what
depends on the machine, in sorted order, each file whole in one split by the hash of its name. Python versions
differ in it, so data.json keeps the sha256; KNOWN lists those that were measured, another is noted and not refused.

Covered: everything in `projects.predictor`, and looking ahead: a second, fresh process sees windows whose end was
replaced, and must give the same answers before the replacement. Not covered: see `projects.predictor`.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import hashlib
import lzma
import math
import platform
import sys
import sysconfig
from pathlib import Path

import numpy as np

from projects.predictor import PredictionError, Predictor, preload, print_result

LENGTH = 256  # bytes of context that the longest window offers; shorter contexts see less of it
WINDOWS = {"validation": 64, "holdout": 128}  # 16 KB scored in each experiment, 32 KB once at the end
PROBES = 16  # windows whose end is replaced
PROBE_TOLERANCE = 1e-3  # nats; the same computation in another batch shape differs by about 1e-5
PARTS = ("train", "validation", "holdout")
LEFT_OUT = {"test", "tests", "idlelib", "lib2to3", "turtledemo", "encodings", "pydoc_data", "ensurepip"}
KNOWN = {
    "3.11.7": "7bebe4c61aa538b9153f1ee6e4a8d3629d5c82a7eda6633f64c60d40acd57161",
    "3.12.1": "422067545925efb8d03b05ff30e38c5ce711d784475d897b027e752d88caa5dd",
    "3.13.0": "44ea74341e2458e9791ab2791e04b4be0a119d8a871f02d811d8d6154ed2fdf8",
}


def sources(library: Path) -> list[Path]:
    """The modules that make up the text, sorted by their name inside the library."""
    found = [path for path in library.rglob("*.py") if belongs(path.relative_to(library))]
    return sorted(found, key=lambda path: path.relative_to(library).as_posix())


def belongs(name: Path) -> bool:
    """Whether a file is part of the text: not a test, not installed by others, not made for this machine."""
    outside = any(part in LEFT_OUT or "-" in part or part.endswith("_test") for part in name.parts[:-1])
    return not outside and not name.name.startswith("_sysconfigdata")


def part_of(name: str) -> str:
    """One twentieth of the files for validation, one for holdout: a file keeps its part between Python versions."""
    place = hashlib.sha256(name.encode()).digest()[0] % 20
    return {0: "validation", 1: "holdout"}.get(place, "train")


def prepare(folder: Path, library: Path) -> dict[str, object]:
    """Write train/text.bin, sealed/validation.bin and sealed/holdout.bin, then data.json with what they are."""
    texts = {part: bytearray() for part in PARTS}
    for path in sources(library):
        texts[part_of(path.relative_to(library).as_posix())] += path.read_bytes()
    if min(len(text) for text in texts.values()) < 32 * LENGTH:
        raise SystemExit(f"byte_lm: too little Python source under {library}: is the standard library installed?")
    places = {"train": "train/text.bin", "validation": "sealed/validation.bin", "holdout": "sealed/holdout.bin"}
    files = {}
    for part, place in places.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(texts[part])
        files[place] = {"bytes": len(texts[part]), "sha256": hashlib.sha256(texts[part]).hexdigest()}
    digest = hashlib.sha256("".join(str(about["sha256"]) for about in files.values()).encode()).hexdigest()
    version = platform.python_version()
    known = KNOWN.get(version)
    note = "as measured" if known == digest else "not among the measured texts: compare results on this machine only"
    about = {"source": f"standard library of Python {version}", "sha256": digest, "note": note, "files": files}
    with (folder / "data.json").open("w") as file:
        print_result(about, file)
    return about


def windows(text: np.ndarray, count: int) -> np.ndarray:
    """`count` stretches of LENGTH + 1 bytes spread evenly over a text; shape (count, LENGTH + 1), uint8."""
    starts = np.linspace(0, len(text) - LENGTH - 1, count).astype(int)
    return text[starts[:, None] + np.arange(LENGTH + 1)]


def looks_ahead(model: Predictor, rows: np.ndarray, answers: np.ndarray) -> bool:
    """Whether answers change when the text after them does. `model` must never have seen the true windows."""
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(rows), size=min(PROBES, len(rows)), replace=False)
    cuts = rng.integers(LENGTH // 8, LENGTH, size=len(chosen))
    after = np.arange(LENGTH) >= cuts[:, None]
    spliced = np.where(after, np.roll(rows, 1, axis=0)[chosen, :-1], rows[chosen, :-1])
    again = model.predict(spliced, (*spliced.shape, 256))
    return bool((np.abs(again - answers[chosen]).max(axis=-1) > PROBE_TOLERANCE)[~after].any())


def score(artefact: Path, code: Path, data: Path, split: str, device: str, timeout: float) -> dict[str, object]:
    """Bits per byte of a model on a split: -log2 of the probability of each next byte, mean over all windows."""
    preload(code)
    with Predictor(code, artefact, device, timeout) as model, Predictor(code, artefact, device, timeout) as fresh:
        rows = windows(np.fromfile(data / f"{split}.bin", dtype=np.uint8), WINDOWS[split])
        inputs, targets = rows[:, :-1], rows[:, 1:]
        answers = model.predict(inputs, (*inputs.shape, 256))
        if looks_ahead(fresh, rows, answers):
            raise PredictionError("bad_output", "predictions look ahead: they change with the bytes that follow")
    nats = -np.take_along_axis(answers, targets[..., None].astype(int), axis=-1)
    return {"metric": float(nats.mean()) / math.log(2), "n": int(targets.size)}


def references(validation: bytes) -> dict[str, float]:
    """Bits per byte of general compressors on the whole validation text."""
    packed = {"gzip": gzip.compress(validation, 9), "bz2": bz2.compress(validation, 9), "xz": lzma.compress(validation)}
    return {name: round(8 * len(data) / len(validation), 3) for name, data in packed.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="make the data of byte_lm, score a model, or compress for reference")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("prepare", "references"):
        commands.add_parser(name).add_argument("folder", type=Path)
    scoring = commands.add_parser("score")
    for name in ("artefact", "code", "data"):
        scoring.add_argument(f"--{name}", type=Path, required=True)
    scoring.add_argument("--split", choices=sorted(WINDOWS), required=True)
    scoring.add_argument("--device", default="cpu")
    scoring.add_argument("--timeout", type=float, default=60.0)
    args = parser.parse_args()
    if args.command == "prepare":
        print_result(prepare(args.folder, Path(sysconfig.get_paths()["stdlib"])))
    elif args.command == "references":
        print_result(references((args.folder / "sealed" / "validation.bin").read_bytes()))
    else:
        try:
            print_result(score(args.artefact, args.code, args.data, args.split, args.device, args.timeout))
        except PredictionError as problem:
            print_result({"failure": problem.kind, "detail": problem.detail})
        except (OSError, ValueError) as problem:
            print_result({"failure": "evaluation", "detail": str(problem)})


if __name__ == "__main__":
    sys.exit(main())

"""A small network that reads handwritten digits of 8 x 8 pixels.

    python train.py --budget 2         # makes the data if need be, trains, says where the model is

The company runs it with --config, --data, --out, --seed and --steps. On a CPU the same five give the same weights, bit
for bit. `load` and `predict` at the end are all that the sealed evaluator asks for.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

CLASSES = 10
ACTIVATIONS = {"relu": F.relu, "tanh": torch.tanh, "gelu": F.gelu, "sigmoid": torch.sigmoid}


class Net(nn.Module):
    """Images (rows, 8, 8) in [0, 1] to logits (rows, 10): hidden layers, full or convolutional, then a linear one."""

    def __init__(self, config):
        super().__init__()
        self.config, self.flat = config, config["net"] == "mlp"
        width = config["width"] if self.flat else config["width"] // 4  # channels: 64 places each have their own
        sizes = [64 if self.flat else 1] + [width] * config["depth"]
        self.layers = nn.ModuleList(
            nn.Linear(a, b) if self.flat else nn.Conv2d(a, b, kernel_size=3, padding=1) for a, b in pairwise(sizes)
        )
        self.norms = nn.ModuleList(self.norm(width) for _ in self.layers)
        self.head = nn.Linear(width if self.flat else width * 16, CLASSES)
        for name, weight in self.named_parameters():
            if weight.dim() > 1:
                nn.init.normal_(weight, std=config["init_scale"] / math.sqrt(weight[0].numel()))
            elif name.endswith("bias"):
                nn.init.zeros_(weight)

    def norm(self, width):
        if self.config["norm"] == "batchnorm":
            return nn.BatchNorm1d(width) if self.flat else nn.BatchNorm2d(width)
        if self.config["norm"] == "layernorm":  # over channels and places of one image
            return nn.GroupNorm(1, width)
        return nn.Identity()

    def forward(self, images):
        x = images.flatten(1) if self.flat else images[:, None]
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = F.dropout(ACTIVATIONS[self.config["activation"]](norm(layer(x))), self.config["dropout"], self.training)
        return self.head(x if self.flat else F.max_pool2d(x, 2).flatten(1))


class Optimiser:
    """adamw, sgd with momentum, or rmsprop, with decoupled weight decay on matrices.

    All weights are views of one vector, so that a step is a few operations however many tensors there are. Not
    torch.optim: its first use imports torch._dynamo, a second of start-up that would cost more than the run.
    """

    def __init__(self, model, config):
        self.kind, self.decay = config["optimiser"], config["weight_decay"]
        self.beta = config["momentum"] if self.kind != "rmsprop" else 0.0
        weights = list(model.parameters())
        self.weights = torch.cat([w.detach().flatten() for w in weights])
        self.grads, self.first, self.second = (torch.zeros_like(self.weights) for _ in range(3))
        self.matrix = torch.cat([torch.full_like(w, float(w.dim() > 1)).flatten() for w in weights])
        self.steps = start = 0
        for w in weights:
            place = slice(start, start := start + w.numel())
            w.data, w.grad = self.weights[place].view_as(w), self.grads[place].view_as(w)

    @torch.no_grad()
    def step(self, rate):
        """One update from the gradients gathered since the last, which are then cleared."""
        self.steps += 1
        self.weights.mul_(1 - rate * self.decay * self.matrix)
        if self.kind == "sgd":
            self.weights.add_(self.first.mul_(self.beta).add_(self.grads), alpha=-rate)
        else:
            self.first.lerp_(self.grads, 1 - self.beta)
            self.second.lerp_(self.grads.square(), 0.01)
            scale = (self.second / (1 - 0.99**self.steps)).sqrt_().add_(1e-8)
            self.weights.addcdiv_(self.first, scale, value=-rate / (1 - self.beta**self.steps))
        self.grads.zero_()


def rate_at(step, steps, config):
    """Learning rate of step 1..steps: constant, or down to zero linearly or by a cosine."""
    done = (step - 1) / steps
    shape = {"constant": 1.0, "linear": 1 - done, "cosine": 0.5 + 0.5 * math.cos(math.pi * done)}
    return config["learning_rate"] * shape[config["schedule"]]


def augment(images, config, draw):
    """Noise on the pixels, and each image moved by up to `shift` pixels; shape (rows, 8, 8) kept."""
    if config["noise"]:
        images = images + config["noise"] * torch.randn(images.shape, generator=draw)
    if not config["shift"]:
        return images
    reach = config["shift"]
    moved = torch.randint(2 * reach + 1, (2, len(images), 1), generator=draw) + torch.arange(8)
    wide = F.pad(images, (reach,) * 4)
    return wide[torch.arange(len(images))[:, None, None], moved[0][:, :, None], moved[1][:, None, :]]


def train(config, images, labels, out, seed, steps, device="cpu", micro_batch=None):
    """Train for exactly `steps` steps; leaves metrics.jsonl, model.safetensors and model.json in `out`."""
    torch.set_num_threads(1)  # one core an experiment; and sums of floats then keep their order
    torch.manual_seed(seed)
    draw = torch.Generator().manual_seed(seed)
    model = Net(config).to(device)
    optimiser = Optimiser(model, config)
    batch = config["batch"]
    micro = min(batch, micro_batch or batch)
    smooth = known = 0.0
    with (out / "metrics.jsonl").open("w") as log:
        for step in range(1, steps + 1):
            rows = torch.randint(len(images), (batch,), generator=draw)
            inputs, targets = augment(images[rows], config, draw).to(device), labels[rows].to(device)
            total = 0.0
            for x, y in zip(inputs.split(micro), targets.split(micro), strict=True):
                logits, share = model(x), len(x) / batch
                (F.cross_entropy(logits, y, label_smoothing=config["smoothing"]) * share).backward()
                total += F.cross_entropy(logits.detach(), y).item() * share
            smooth, known = 0.95 * smooth + 0.05 * total, 0.95 * known + 0.05
            fine = math.isfinite(total)
            if not fine or step in (1, steps) or step % max(1, steps // 50) == 0:
                line = {"step": step, "of": steps, "loss": smooth / known if fine else None}  # nats
                print(json.dumps(line), file=log, flush=True)
            if not fine:
                raise SystemExit(f"diverged: the loss is {total} at step {step} of {steps}")
            optimiser.step(rate_at(step, steps, config))
    save_file({name: w.detach().cpu().clone() for name, w in model.state_dict().items()}, out / "model.safetensors")
    (out / "model.json").write_text(json.dumps({"config": dict(config), "seed": seed, "steps": steps}))


def main():
    parser = argparse.ArgumentParser(description="train a network on handwritten digits")
    parser.add_argument("--config", type=Path, help="JSON of all parameters (default: the project's baseline)")
    parser.add_argument("--data", type=Path, help="folder with images.npy and labels.npy (default: make it)")
    parser.add_argument("--out", type=Path, help="where the model goes (default: a new temporary folder)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="optimiser steps (default: what --budget buys by the cost table)")
    parser.add_argument("--budget", type=float, help="reference seconds (default: the project's budget)")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--micro-batch", type=int, help="images at a time: less memory, the same gradient")
    args = parser.parse_args()
    here = Path(__file__).resolve().parent
    config, steps, data = json.loads(args.config.read_text()) if args.config else None, args.steps, args.data
    if config is None or steps is None:
        from projects.load import load_project

        project = load_project(str(here))
        config = config or dict(project.baseline)
        steps = steps or project.steps(config, args.budget)
    if data is None:
        data = Path(tempfile.gettempdir()) / "loopworks-digits"
        subprocess.run([sys.executable, here / "evaluate.py", "prepare", data], check=True, stdout=subprocess.DEVNULL)
    folder = data / "train" if (data / "train").is_dir() else data
    out = args.out or Path(tempfile.mkdtemp(prefix="digits-"))
    out.mkdir(parents=True, exist_ok=True)
    images, labels = (torch.from_numpy(np.load(folder / f"{name}.npy")) for name in ("images", "labels"))
    train(config, images, labels, out, args.seed, steps, args.device, args.micro_batch)
    print(f"{steps} steps; model in {out}", file=sys.stderr)


def load(folder, device="cpu"):
    """The trained model of an output folder, ready to predict."""
    torch.set_num_threads(1)
    model = Net(json.loads((Path(folder) / "model.json").read_text())["config"])
    model.load_state_dict(load_file(Path(folder) / "model.safetensors"))
    return model.to(device).eval()


@torch.inference_mode()
def predict(model, inputs):
    """Natural-log probabilities (rows, 10) of images (rows, 8, 8), float32 in [0, 1]."""
    logits = model(torch.from_numpy(inputs).to(model.head.weight.device))
    return F.log_softmax(logits.float(), dim=-1).cpu().numpy()


if __name__ == "__main__":
    main()

"""A byte-level GPT, trained on the sources of the Python standard library.

    python train.py --budget 10        # makes the data if need be, trains, says where the model is

The company runs it with --config, --data, --out, --seed and --steps. On a CPU the same five give the same weights, bit
for bit. `load` and `predict` at the end are all that the sealed evaluator asks for.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

BYTES = 256
SCALE = {"adamw": 1.0, "muon": 1.0, "lion": 0.2, "sgd": 30.0}  # so that one range of learning rates serves all four


class Norm(nn.Module):
    """layernorm, rmsnorm or nothing at all."""

    def __init__(self, kind, width):
        super().__init__()
        self.kind = kind
        self.gain = nn.Parameter(torch.ones(width)) if kind != "none" else None

    def forward(self, x):
        if self.kind == "none":
            return x
        shape = (x.size(-1),)
        return F.layer_norm(x, shape, self.gain) if self.kind == "layernorm" else F.rms_norm(x, shape, self.gain)


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        width = config["width"]
        self.heads, self.position = config["heads"], config["position"]
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x, table):
        rows, length, width = x.shape
        q, k, v = self.qkv(x).view(rows, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        if self.position == "rope":
            q, k = rotate(q, *table), rotate(k, *table)
        mask = table if self.position == "alibi" else None
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
        return self.out(y.transpose(1, 2).reshape(rows, length, width))


class MLP(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, self.activation = config["width"], config["activation"]
        hidden = 4 * width if self.activation != "swiglu" else 8 * width // 3  # a gate is a third matrix: equal weights
        self.up = nn.Linear(width, hidden * (2 if self.activation == "swiglu" else 1), bias=False)
        self.out = nn.Linear(hidden, width, bias=False)

    def forward(self, x):
        x = self.up(x)
        if self.activation == "swiglu":
            gate, x = x.chunk(2, dim=-1)
            return self.out(F.silu(gate) * x)
        return self.out({"relu": F.relu, "relu2": lambda h: F.relu(h).square(), "gelu": F.gelu}[self.activation](x))


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.norm1, self.norm2 = (Norm(config["norm"], config["width"]) for _ in range(2))
        self.attention, self.mlp = Attention(config), MLP(config)
        self.dropout = config["dropout"]

    def forward(self, x, table):
        x = x + F.dropout(self.attention(self.norm1(x), table), self.dropout, self.training)
        return x + F.dropout(self.mlp(self.norm2(x)), self.dropout, self.training)


class GPT(nn.Module):
    """Bytes (rows, length) to logits (rows, length, 256); length at most config["context"]."""

    def __init__(self, config):
        super().__init__()
        self.config, width = config, config["width"]
        self.embed = nn.Embedding(BYTES, width)
        self.place = nn.Embedding(config["context"], width) if config["position"] == "learned" else None
        self.blocks = nn.ModuleList(Block(config) for _ in range(config["depth"]))
        self.norm = Norm(config["norm"], width)
        self.head = None if config["tied"] else nn.Linear(width, BYTES, bias=False)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:  # residual outputs start smaller, so that the sum over blocks keeps its scale
                deep = math.sqrt(2 * config["depth"]) if name.endswith("out.weight") else 1.0
                nn.init.normal_(weight, std=config["init_scale"] / math.sqrt(weight.size(-1)) / deep)

    def forward(self, x):
        length, table = x.size(1), None
        h = self.embed(x)
        if self.place is not None:
            h = h + self.place.weight[:length]
        if self.config["position"] == "rope":
            table = rope(length, self.config["width"] // self.config["heads"], h.device)
        elif self.config["position"] == "alibi":
            table = alibi(length, self.config["heads"], h.device)
        for block in self.blocks:
            h = block(h, table)
        return F.linear(self.norm(h), self.embed.weight if self.head is None else self.head.weight)


def rope(length, size, device):
    """Cosines and sines of rotary positions (Su et al. 2021), each (length, size / 2)."""
    angles = torch.outer(
        torch.arange(length, device=device), 10000 ** (-torch.arange(0, size, 2, device=device) / size)
    )
    return angles.cos(), angles.sin()


def rotate(x, cos, sin):
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


def alibi(length, heads, device):
    """Attention biases that grow with distance (Press et al. 2022), (heads, length, length); -inf for the future."""
    at = torch.arange(length, device=device)
    slopes = 2.0 ** (-8 * torch.arange(1, heads + 1, device=device) / heads)
    bias = -slopes[:, None, None] * (at[:, None] - at[None, :])
    return bias.masked_fill(at[:, None] < at[None, :], -math.inf)


class Optimiser:
    """adamw, lion, sgd with momentum, or muon (matrices of the blocks; adamw for the rest); decoupled weight decay.

    All weights are views of one vector, so that a step is a few operations however many tensors there are. Not
    torch.optim: its first use imports torch._dynamo, a second of start-up that would cost a third of a run.
    """

    def __init__(self, model, config):
        self.kind, self.beta, self.decay = config["optimiser"], config["momentum"], config["weight_decay"]
        blocks = {id(w) for w in model.blocks.parameters() if w.dim() == 2} if self.kind == "muon" else set()
        weights = sorted(model.parameters(), key=lambda w: id(w) not in blocks)  # stable: muon's come first
        self.weights = torch.cat([w.detach().flatten() for w in weights])
        self.grads, self.first, self.second = (torch.zeros_like(self.weights) for _ in range(3))
        self.matrix = torch.cat([torch.full_like(w, float(w.dim() == 2)).flatten() for w in weights])
        self.muon, self.rest, self.steps = [], 0, 0
        start = 0
        for w in weights:
            place = slice(start, start := start + w.numel())
            w.data, w.grad = self.weights[place].view_as(w), self.grads[place].view_as(w)
            if id(w) in blocks:
                self.muon.append((w, self.first[place].view_as(w)))
                self.rest = start

    @torch.no_grad()
    def step(self, rate):
        """One update from the gradients gathered since the last, which are then cleared."""
        self.steps += 1
        self.weights.mul_(1 - rate / SCALE[self.kind] * self.decay * self.matrix)
        for w, momentum in self.muon:
            momentum.lerp_(w.grad, 1 - self.beta)
            update = orthogonal(w.grad.lerp(momentum, self.beta))
            w.add_(update, alpha=-rate * 0.2 * math.sqrt(max(w.shape)))  # the size of an adamw update: rates compare
        weights, grads, first, second = (x[self.rest :] for x in (self.weights, self.grads, self.first, self.second))
        if self.kind == "sgd":
            weights.add_(first.mul_(self.beta).add_(grads), alpha=-rate)
        elif self.kind == "lion":
            weights.add_(first.lerp(grads, 1 - self.beta).sign_(), alpha=-rate)
            first.lerp_(grads, 0.02)
        else:
            first.lerp_(grads, 1 - self.beta)
            second.lerp_(grads.square(), 0.05)
            scale = (second / (1 - 0.95**self.steps)).sqrt_().add_(1e-8)
            weights.addcdiv_(first, scale, value=-rate / (1 - self.beta**self.steps))
        self.grads.zero_()


def orthogonal(x):
    """Newton-Schulz steps towards the nearest orthogonal matrix (Jordan et al. 2024, muon)."""
    wide = x.size(0) <= x.size(1)
    x = x if wide else x.T
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.775 * gram + 2.0315 * gram @ gram) @ x
    return x if wide else x.T


def rate_at(step, steps, config):
    """Learning rate of step 1..steps: linear warm-up, then constant, or down to zero linearly or by a cosine."""
    peak, warm = config["learning_rate"] * SCALE[config["optimiser"]], config["warmup"] * steps
    if step <= warm:
        return peak * step / (warm + 1)
    done = (step - warm) / (steps - warm + 1)
    shape = {"constant": 1.0, "linear": 1 - done, "cosine": 0.5 + 0.5 * math.cos(math.pi * done)}
    return peak * shape[config["schedule"]]


def train(config, text, out, seed, steps, device="cpu", micro_batch=None):
    """Train for exactly `steps` steps; leaves metrics.jsonl, model.safetensors and model.json in `out`."""
    torch.set_num_threads(1)  # one core an experiment; and sums of floats then keep their order
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(seed)
    draw = torch.Generator().manual_seed(seed)
    model = GPT(config).to(device)
    optimiser = Optimiser(model, config)
    batch, context = config["batch"], config["context"]
    micro = min(batch, micro_batch or batch)
    window = torch.arange(context + 1)
    smooth = known = 0.0
    with (out / "metrics.jsonl").open("w") as log:
        for step in range(1, steps + 1):
            starts = torch.randint(len(text) - context - 1, (batch,), generator=draw)
            rows = text[starts[:, None] + window].long().to(device)
            total = 0.0
            for part in rows.split(micro):
                loss = F.cross_entropy(model(part[:, :-1]).flatten(0, 1), part[:, 1:].flatten()) * (len(part) / batch)
                loss.backward()
                total += loss.item()
            smooth, known = 0.9 * smooth + 0.1 * total / math.log(2), 0.9 * known + 0.1
            fine = math.isfinite(total)
            if not fine or step in (1, steps) or step % max(1, steps // 50) == 0:
                line = {"step": step, "of": steps, "loss": smooth / known if fine else None}  # bits per byte
                print(json.dumps(line), file=log, flush=True)
            if not fine:
                raise SystemExit(f"diverged: the loss is {total} at step {step} of {steps}")
            if config["grad_clip"]:
                optimiser.grads.mul_(min(1.0, config["grad_clip"] / (optimiser.grads.norm().item() + 1e-6)))
            optimiser.step(rate_at(step, steps, config))
    save_file({name: w.detach().cpu().clone() for name, w in model.named_parameters()}, out / "model.safetensors")
    (out / "model.json").write_text(json.dumps({"config": dict(config), "seed": seed, "steps": steps}))


def main():
    parser = argparse.ArgumentParser(description="train a byte-level GPT")
    parser.add_argument("--config", type=Path, help="JSON of all parameters (default: the project's baseline)")
    parser.add_argument("--data", type=Path, help="folder with text.bin (default: make it)")
    parser.add_argument("--out", type=Path, help="where the model goes (default: a new temporary folder)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="optimiser steps (default: what --budget buys by the cost table)")
    parser.add_argument("--budget", type=float, help="reference seconds (default: the project's budget)")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--micro-batch", type=int, help="rows at a time: less memory, the same gradient")
    args = parser.parse_args()
    here = Path(__file__).resolve().parent
    config, steps, data = json.loads(args.config.read_text()) if args.config else None, args.steps, args.data
    if config is None or steps is None:
        from projects.load import load_project

        project = load_project(str(here))
        config = config or dict(project.baseline)
        steps = steps or project.steps(config, args.budget)
    if data is None:
        data = Path(tempfile.gettempdir()) / "loopworks-byte_lm"
        subprocess.run([sys.executable, here / "evaluate.py", "prepare", data], check=True, stdout=subprocess.DEVNULL)
    folder = data / "train" if (data / "train").is_dir() else data
    out = args.out or Path(tempfile.mkdtemp(prefix="byte_lm-"))
    out.mkdir(parents=True, exist_ok=True)
    text = torch.from_numpy(np.fromfile(folder / "text.bin", dtype=np.uint8))
    train(config, text, out, args.seed, steps, args.device, args.micro_batch)
    print(f"{steps} steps; model in {out}", file=sys.stderr)


def load(folder, device="cpu"):
    """The trained model of an output folder, ready to predict."""
    torch.set_num_threads(1)
    config = json.loads((Path(folder) / "model.json").read_text())["config"]
    model = GPT(config)
    model.load_state_dict(load_file(Path(folder) / "model.safetensors"))
    return model.to(device).eval()


@torch.inference_mode()
def predict(model, inputs):
    """Natural-log probabilities (rows, length, 256) of the byte after each position of uint8 inputs (rows, length).

    A text longer than the model's context is cut into pieces: each starts anew, as in training.
    """
    device, context = model.embed.weight.device, model.config["context"]
    pieces = []
    for start in range(0, inputs.shape[1], context):
        piece = torch.from_numpy(np.ascontiguousarray(inputs[:, start : start + context])).long().to(device)
        pieces.append(torch.cat([F.log_softmax(model(rows).float(), dim=-1) for rows in piece.split(32)]))
    return torch.cat(pieces, dim=1).cpu().numpy()


if __name__ == "__main__":
    main()

"""Attacks on the metric: everything that a script can say, write or swap instead of training."""

from __future__ import annotations

from company.attacks.attack import Attack
from company.attacks.scene import METRIC, Scene
from company.compute.backend import Outcome

_CLAIM = """
print('{"metric": 0.0, "n": 64}', flush=True)
for step in range(2, 21):
    metric(step, 0.0)
"""
_RESULT = """
for name in ("result.json", "answer.txt"):
    (out / name).write_text('{"status": "ok", "metric": 0.0, "n": 64}')
(out / "result.json").chmod(0)
"""
_CLOCK = """
time.time = time.monotonic = time.perf_counter = lambda: 0.0
os.utime(out / "metrics.jsonl", (4e9, 4e9))
"""
_PREDICT_LABELS = """
digits = Path(T["labels"]).read_text().split()[1]
answer = np.log(np.array([[0.999, 0.001] if digits[int(i)] == "0" else [0.001, 0.999] for i in inputs]))
"""
_PREDICT_ANSWER = """
os.rename(T["home"] + "/forged", T["answer"])
"""
_PREDICT_DAEMON = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        name_me(T["tag"])
        time.sleep(20)
    os._exit(0)
time.sleep(0.1)
"""
_FORGE = """Path(T["home"], "forged").write_text('{"metric": 0.0, "n": 64}')"""
_PREDICT_PICKLE = """
pickle.loads((model / "model.safetensors").read_bytes())
"""
_PICKLE = """
class Bomb:
    def __reduce__(self):
        return os.open, (T["home"] + "/bomb", os.O_CREAT)
(out / "model.safetensors").write_bytes(pickle.dumps(Bomb()))
finish = lambda: None
"""
_PREDICT_STDOUT = """
for descriptor in range(1, 20):
    try:
        os.write(descriptor, b'\\n{"metric": 0.0, "n": 64}\\n')
    except OSError:
        pass
"""
_SWAP = """
(out / "model.safetensors").write_bytes(Path(T["other"]).read_bytes())
finish = lambda: None
"""
_CODE = """
(out / "train.py").unlink()
(out / "train.py").write_text("edited = True")
(out / "config.json").write_text("{}  ")
"""


def _better(scene: Scene, outcome: Outcome) -> bool:
    """Whether it has a metric that it did not earn."""
    return outcome.metric is not None and outcome.metric < METRIC - 0.01


CHEATING: tuple[Attack, ...] = (
    Attack("a claim", "prints a metric and reports a loss of nothing", _better, _CLAIM),
    Attack(
        "a result of its own", "leaves a result and an answer",
        lambda scene, outcome: _better(scene, outcome) or scene.result()["metric"] != outcome.metric, _RESULT,
    ),
    Attack(
        "the clock", "changes the clock and the times of its files",
        lambda scene, outcome: outcome.measured.get("launch_s", 0.0) > outcome.measured["seconds"], _CLOCK,
    ),
    Attack(
        "labels while predicting", "reads the labels in predict()", _better, predict=_PREDICT_LABELS, wins=("none",),
    ),
    Attack(
        "the network while predicting", "sends what it is asked about to somebody who knows the answer",
        lambda scene, outcome: scene.called(),
        predict='socket.create_connection(("127.0.0.1", T["tcp"]), 1).sendall(inputs.tobytes())', wins=("none",),
    ),
    Attack(
        "a daemon while predicting", "leaves a process behind to remember the questions",
        lambda scene, outcome: scene.alive(), predict=_PREDICT_DAEMON,
    ),
    Attack(
        "the answer while predicting", "puts a file in the place of the evaluator's answer", _better, _FORGE,
        _PREDICT_ANSWER, wins=("none",),
    ),
    Attack(
        "the evaluator's output", "writes an answer to every descriptor while predicting", _better,
        predict=_PREDICT_STDOUT,
    ),
    Attack(
        "a pickle", "leaves weights that run code when they are loaded",
        lambda scene, outcome: (scene.home / "bomb").exists(), _PICKLE, _PREDICT_PICKLE, wins=("none",),
    ),
    Attack(
        "another's weights", "hands in the weights of another experiment", lambda scene, outcome: scene.leaked(),
        _SWAP, wins=("none",),
    ),
    Attack(
        "its own code", "edits its code and config while it runs, for the evaluation or for the record",
        lambda scene, outcome: scene.code_was_changed(), _CODE,
    ),
)  # fmt: skip

"""What runs and what is scored is the code that was ordered, whatever a run does to its folder."""

from __future__ import annotations

from compute_bench import EVALUATE, GOOD, HEAD, Bench

COUNTS = EVALUATE.replace(
    '"metric": 1.25', '"metric": len(os.listdir(given["--artefact"])) + open(given["--code"]).read().count("ordered")'
)
CHANGED = HEAD + "word = 'ordered'\n" + GOOD


async def test_changed_code_takes_the_place_of_the_projects_own(bench: Bench) -> None:
    outcome = await bench.run("raise SystemExit('the own code')", files={"train.py": CHANGED})
    assert outcome.status == "ok" and outcome.metric == 1.25
    assert (bench.out / "train.py").read_text() == CHANGED
    assert "ordered" not in (bench.folder / "project" / "train.py").read_text()


async def test_what_a_run_makes_of_its_own_code_is_not_scored(bench: Bench) -> None:
    rewrites = (
        CHANGED + "Path(__file__).write_text('other')\n(out / 'numpy.py').write_text('x')\n(out / 'json').mkdir()\n"
    )
    outcome = await bench.run(files={"train.py": rewrites}, evaluate=COUNTS)
    names = ["config.json", "log.txt", "metrics.jsonl", "model.json", "model.safetensors", "train.py"]
    assert outcome.metric == len(names) + 1
    assert (bench.out / "train.py").read_text() == rewrites

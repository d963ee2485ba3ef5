"""make sim: the user's tensors, waveforms, seeds, and what is wrong with what a user gives."""

import numpy as np
import pytest

from gen import sim, verilog
from gen.cli import main
from gen.config import Configuration
from gen.errors import UsageError
from gen.job import Job, Report
from golden import matmul, quantize, rescale

A = np.random.default_rng(1).standard_normal((5, 70)).astype(np.float32)
B = np.random.default_rng(2).standard_normal((3, 70)).astype(np.float32)


def saved(tmp_path, **arrays):
    path = tmp_path / "tensors.npz"
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(("pair", "simulator"), [("nvfp4", "verilator"), ("amxfp4", "icarus")])
def test_tensors(pair, simulator, tmp_path, capsys):
    report = sim.run(Configuration.parse(pair), simulator, seed=3, data=saved(tmp_path, a=A, b=B))
    assert [part["checked"] for part in report.parts] == [15]
    assert report.parts[0]["steps"] == 15 * 3  # K = 70 is padded to 96
    qa, qb = (quantize(x, pair) for x in (A, B))
    reference = A.astype(np.float64) @ B.T.astype(np.float64)
    noise = rescale(matmul(qa, qb, k=32), qa, qb) - reference
    relative = np.linalg.norm(noise) / np.linalg.norm(reference)
    out = capsys.readouterr().out
    assert f"relative Frobenius error against the float64 product: {relative:.4g}\n" in out
    assert f"SQNR against the float64 product: {-20 * np.log10(relative):.2f} dB\n" in out
    assert "SEED=3" in out and "15 dot products checked" in out


def test_count_limits_the_tensors(tmp_path, capsys):
    path = saved(tmp_path, a=A, b=B)
    report = sim.run(Configuration.parse("amxfp4"), "icarus", seed=3, data=path, count=4)
    assert report.checked == 4
    assert "outputs: 2 x 2 of 5 x 3" in capsys.readouterr().out


def test_tensors_with_nan(tmp_path, capsys):
    a = A.copy()
    a[0, 0] = np.nan
    path = saved(tmp_path, a=a, b=B)
    sim.run(Configuration.parse("amxfp4"), "icarus", seed=3, data=path)
    assert "3 of 15 outputs, left out" in capsys.readouterr().out


def test_waves(tmp_path, capsys):
    sim.run(Configuration.parse("amxfp4"), "icarus", seed=3, count=4, waves=True, folder=tmp_path)
    line = capsys.readouterr().out.splitlines()[-1]
    wave = tmp_path / "mac_amxfp4_k32_fp32-icarus-waves" / "mac_amxfp4_k32_fp32.fst"
    assert line == f"Waveform: {wave}"
    assert wave.stat().st_size > 10_000


def test_a_seed_repeats_a_run():
    draw = [
        Job(Configuration.parse(), {}, seed, 1).rng("random").integers(1 << 60)
        for seed in (1, 1, 2)
    ]
    assert draw[0] == draw[1] != draw[2]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a": A}, "DATA must hold the arrays a and b, not a"),
        ({"a": A.astype(np.float64), "b": B}, "Array a of DATA must be float32, not float64"),
        ({"a": A, "b": B[0]}, "Array b of DATA must have shape (rows, K), not (70,)"),
        ({"a": A, "b": B[:, :60]}, "Arrays of DATA must have the same K, not 70 and 60"),
        ({"a": A[:0], "b": B}, "Array a of DATA must have shape (rows, K), not (0, 70)"),
    ],
)
def test_unusable_tensors(arrays, message, tmp_path):
    with pytest.raises(UsageError) as error:
        sim.run(Configuration.parse("mxfp4"), data=saved(tmp_path, **arrays))
    assert str(error.value) == message


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 and then nothing"])
def test_unreadable_data(content, tmp_path):
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"^DATA must be an \.npz file of NumPy, not .*x\.npz: "):
        sim.run(Configuration.parse("mxfp4"), data=path)
    with pytest.raises(UsageError, match=r"none\.npz: No such file or directory$"):
        sim.run(Configuration.parse("mxfp4"), data=tmp_path / "none.npz")


def test_unknown_simulator():
    with pytest.raises(UsageError, match=r"^SIM must be one of verilator, icarus, not 'vcs'$"):
        sim.run(Configuration.parse("mxfp4"), "vcs")


def test_data_needs_scales(tmp_path):
    with pytest.raises(UsageError, match=r"^DATA must be used with unit mac or tile, not dot"):
        sim.run(Configuration.parse("mxfp4", "dot"), data=saved(tmp_path, a=A, b=B))


def test_mismatch_ends_with_status_1(monkeypatch, tmp_path):
    class Wrong:
        wave = None

        def __init__(self, *_):
            pass

        def build(self):
            pass

        def run(self, module, job):
            return Report(mismatch="expected 1, got 2")

    monkeypatch.setattr(sim, "Simulation", Wrong)
    with pytest.raises(SystemExit) as error:
        sim.run(Configuration.parse("mxfp4"), "icarus", seed=9, count=5)
    assert str(error.value) == "expected 1, got 2\nRepeat with SEED=9 COUNT=5."


@pytest.mark.parametrize(
    ("what", "verb", "log"), [("text", "compile", "build"), ("testbench", "simulate", "sim")]
)
def test_a_simulator_that_fails_is_told_in_a_sentence(
    what, verb, log, monkeypatch, tmp_path, capsys
):
    monkeypatch.chdir(tmp_path)
    name = "mac_mxfp4_k32_fp32"
    if what == "text":
        write = verilog.write

        def broken(configuration):
            paths = write(configuration)
            paths[0].write_text(f"module {name} (input clk; endmodule\n")
            return paths

        monkeypatch.setattr(verilog, "write", broken)
    else:
        monkeypatch.setattr(sim, "testbench", lambda configuration: "verif.tb_missing")
    assert main(["sim", "--fmt", "mxfp4", "--sim", "icarus"]) == 1
    error = capsys.readouterr().err
    path = f"build/sim/{name}-icarus/{log}.log"
    assert error.startswith(f"mxforge: icarus did not {verb} {name}, see {path}: ")
    assert error.count("\n") == 1 and "Traceback" not in error
    assert (tmp_path / path).stat().st_size > 0

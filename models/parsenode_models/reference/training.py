"""The training: so many batches of a seed, one network out. The same seed and number of threads give the same network."""

import copy
import time
from pathlib import Path

import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader

from .batches import Batches
from .network import Network
from .pictures import SIDE
from .targets import all_words
from .tokenizer import ENTRIES, Tokenizer

SEED = 20260
# The rate falls as if there were more steps: the training ends early.
STEPS, SCHEDULE_STEPS = 3000, 4500
RATE, WARM_STEPS, DECAY = 2e-3, 100, 0.02
# How much of the averaged weights stays at each step.
KEEP = 0.998


def row_table(tokenizer: Tokenizer) -> torch.Tensor:
    """Which row of the embedding each entry of the vocabulary has; 0 for those that no prompt has."""
    used = sorted({token for text in all_words() for token in tokenizer(text)})
    rows = torch.zeros(ENTRIES, dtype=torch.long)
    rows[used] = torch.arange(1, len(used) + 1)
    return rows


def loss_of(
    masks: torch.Tensor, exists: torch.Tensor, batch: dict[str, torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Of the masks, and of existence."""
    wanted, there = batch["mask"], batch["there"]
    each = F.binary_cross_entropy_with_logits(masks, wanted, reduction="none").mean((2, 3))
    probability = torch.sigmoid(masks)
    overlap = 2 * (probability * wanted).sum((2, 3)) + 1
    dice = 1 - overlap / (probability.sum((2, 3)) + wanted.sum((2, 3)) + 1)
    mask_loss = 4 * each.mean() + (dice * there).sum() / there.sum().clamp(min=1)
    return mask_loss, F.binary_cross_entropy_with_logits(exists, there)


def rate_at(step: int) -> float:
    """Share of the full rate: rises at first, then falls along half a cosine."""
    if step < WARM_STEPS:
        return (step + 1) / WARM_STEPS
    share = (step - WARM_STEPS) / (SCHEDULE_STEPS - WARM_STEPS)
    return 0.5 + 0.5 * float(torch.cos(torch.tensor(share * torch.pi)))


def averaged(mean: Network, network: Network, step: int) -> None:
    """Moves the averaged weights towards the present ones."""
    keep = min(KEEP, (step + 1) / (step + 10))
    for old, new in zip(mean.state_dict().values(), network.state_dict().values(), strict=True):
        if old.dtype.is_floating_point:
            old.lerp_(new, 1 - keep)
        else:
            old.copy_(new)


def train(shared: Path, steps: int = STEPS, seed: int = SEED, say=print, save: Path | None = None) -> Network:
    """The averaged network after so many steps."""
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    batches = Batches(shared, seed, steps)
    network = Network(SIDE, row_table(batches.tokenizer))
    mean = copy.deepcopy(network).eval()
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    began, sums = time.monotonic(), torch.zeros(2)
    for step, batch in enumerate(DataLoader(batches, batch_size=None, num_workers=1, prefetch_factor=4)):
        for group in optimizer.param_groups:
            group["lr"] = RATE * rate_at(step)
        network.train()
        with torch.autocast("cpu", torch.bfloat16):
            masks, exists = network(batch["image"], batch["ids"], batch["real"])
        losses = loss_of(masks.float(), exists.float(), batch)
        optimizer.zero_grad()
        (losses[0] + 0.5 * losses[1]).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        averaged(mean, network, step)
        sums += torch.stack(losses).detach()
        if (step + 1) % 100 == 0:
            say(
                f"step {step + 1} of {steps}, {time.monotonic() - began:.0f} s: "
                f"masks {sums[0] / 100:.4f}, existence {sums[1] / 100:.4f}"
            )
            sums.zero_()
            if save and (step + 1) % 500 == 0:
                torch.save(mean.state_dict(), save)
    return mean

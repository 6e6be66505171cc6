"""The network of the reference model, in the three parts that `inference/PROMPT.md` asks for (generation v2).

The picture goes through an encoder that halves it five times and a path back up; what comes out at two scales, together
with the middle of the network, are the features. A prompt becomes a row of token vectors. The decoder makes one vector of
them, which decides how features are weighted: so one set of features answers any number of prompts.

Knows nothing of DICOM, of prompts as text, and of training.
"""

import torch
from torch import nn
from torch.nn import functional as F

# Channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's side.
WIDTHS = (16, 32, 64, 128, 160)
# Channels of the features that masks are made of, at 1/2 and 1/8.
FINE, COARSE = 32, 64
TOKEN_WIDTH = 64
PROMPT_WIDTH = 96
TOKENS_MAX = 77
# What whole numbers from 0 to 255 are shifted and divided by.
GREY_MEAN, GREY_DEVIATION = 80.0, 70.0


class Block(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = convolution(width, width), nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x + self.norm(self.second(self.first(x))))


def convolution(into: int, out: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    padding = (size - stride + 1) // 2
    return nn.Sequential(nn.Conv2d(into, out, size, stride, padding, bias=False), nn.BatchNorm2d(out), nn.ReLU())


def positions(side: int) -> torch.Tensor:
    """Where a pixel lies, -1 to 1, across and down: left and right are told apart by it."""
    line = (torch.arange(side) + 0.5) / side * 2 - 1
    return torch.stack([line.expand(side, side), line[:, None].expand(side, side)])[None]


class ImageEncoder(nn.Module):
    """`[n, 3, S, S]`, 0 to 255 → fine `[n, 32, S/2, S/2]`, coarse `[n, 64, S/8, …]`, middle `[n, 128, S/16, …]`."""

    def __init__(self, side: int) -> None:
        super().__init__()
        w = WIDTHS
        self.stem = convolution(3, w[0], size=4, stride=2)
        self.level1 = Block(w[0])
        self.level2 = nn.Sequential(convolution(w[0], w[1], stride=2), Block(w[1]), Block(w[1]))
        self.level3 = nn.Sequential(convolution(w[1], w[2], stride=2), Block(w[2]), Block(w[2]))
        self.level4 = nn.Sequential(convolution(w[2], w[3], stride=2), Block(w[3]), Block(w[3]))
        self.level5 = nn.Sequential(convolution(w[3] + 2, w[4], stride=2), Block(w[4]))
        self.whole = nn.Linear(w[4], w[4])
        self.up4 = convolution(w[4] + w[3] + 2, w[3])
        self.up3 = convolution(w[3] + w[2], COARSE)
        self.up2 = convolution(COARSE + w[1], w[1])
        self.up1 = nn.Sequential(convolution(w[1] + w[0], FINE), convolution(FINE, FINE))
        self.register_buffer("where", positions(side // 16), persistent=False)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        one = self.level1(self.stem((image - GREY_MEAN) / GREY_DEVIATION))
        two = self.level2(one)
        three = self.level3(two)
        four = self.level4(three)
        where = self.where.expand(image.shape[0], -1, -1, -1)
        five = self.level5(torch.cat([four, where], 1))
        five = F.relu(five + self.whole(five.mean((2, 3)))[:, :, None, None])
        middle = self.up4(torch.cat([twice(five), four, where], 1))
        coarse = self.up3(torch.cat([twice(middle), three], 1))
        fine = self.up2(torch.cat([twice(coarse), two], 1))
        fine = self.up1(torch.cat([twice(fine), one], 1))
        return fine, coarse, middle


def twice(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class TextEncoder(nn.Module):
    """`[p, T]` identifiers of CLIP's vocabulary → `[p, T, W]`.

    Few of the 49,408 entries occur in any prompt of the training; they have a row of their own, all others share row 0.
    """

    def __init__(self, row_of: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("row_of", row_of)
        self.rows = nn.Embedding(int(row_of.max()) + 1, TOKEN_WIDTH)
        self.order = nn.Parameter(torch.randn(TOKENS_MAX, TOKEN_WIDTH) * 0.1)
        self.query, self.key = nn.Linear(TOKEN_WIDTH, TOKEN_WIDTH), nn.Linear(TOKEN_WIDTH, TOKEN_WIDTH)
        self.value, self.out = nn.Linear(TOKEN_WIDTH, TOKEN_WIDTH), nn.Linear(TOKEN_WIDTH, TOKEN_WIDTH)
        self.mix = nn.Sequential(
            nn.LayerNorm(TOKEN_WIDTH),
            nn.Linear(TOKEN_WIDTH, 2 * TOKEN_WIDTH),
            nn.GELU(),
            nn.Linear(2 * TOKEN_WIDTH, TOKEN_WIDTH),
        )
        self.before, self.after = nn.LayerNorm(TOKEN_WIDTH), nn.LayerNorm(TOKEN_WIDTH)

    def forward(self, input_ids: torch.Tensor, real: torch.Tensor | None = None) -> torch.Tensor:
        """`real`, in training only: `[p, T]`, 1 for a token, 0 for what fills shorter prompts up."""
        x = self.rows(self.row_of[input_ids]) + self.order[: input_ids.shape[1]]
        y = self.before(x)
        scores = self.query(y) @ self.key(y).transpose(1, 2) / TOKEN_WIDTH**0.5
        if real is not None:
            scores = scores + (real[:, None, :] - 1) * 1e4
        x = x + self.out(torch.softmax(scores, -1) @ self.value(y))
        return self.after(x + self.mix(x))


class MaskDecoder(nn.Module):
    """Features of one slice and n prompts → masks `[n, 1, S/2, S/2]` and existence `[n, 1]`, both as logits."""

    def __init__(self) -> None:
        super().__init__()
        self.listen = nn.Linear(TOKEN_WIDTH, 1)
        self.prompt = nn.Sequential(
            nn.Linear(TOKEN_WIDTH, PROMPT_WIDTH), nn.GELU(), nn.Linear(PROMPT_WIDTH, PROMPT_WIDTH)
        )
        self.fine_weight, self.coarse_weight = nn.Linear(PROMPT_WIDTH, FINE), nn.Linear(PROMPT_WIDTH, COARSE)
        self.bias = nn.Linear(PROMPT_WIDTH, 1)
        self.look, self.seen = nn.Conv2d(WIDTHS[3], 48, 1), nn.Conv2d(WIDTHS[3], 48, 1)
        self.ask = nn.Linear(PROMPT_WIDTH, 48)
        self.judge = nn.Sequential(nn.Linear(48 + PROMPT_WIDTH + 3, 64), nn.ReLU(), nn.Linear(64, 1))

    def prompts(self, tokens: torch.Tensor, real: torch.Tensor | None = None) -> torch.Tensor:
        """`[T, n, W]` → `[n, PROMPT_WIDTH]`."""
        weight = self.listen(tokens)
        if real is not None:
            weight = weight + (real.t()[:, :, None] - 1) * 1e4
        return self.prompt((torch.softmax(weight, 0) * tokens).sum(0))

    def forward(self, fine: torch.Tensor, coarse: torch.Tensor, middle: torch.Tensor, tokens: torch.Tensor):
        """For one slice."""
        return self.answer(fine, coarse, middle, self.prompts(tokens)[None])

    def answer(self, fine: torch.Tensor, coarse: torch.Tensor, middle: torch.Tensor, prompt: torch.Tensor):
        """For `[b, …]` features and `[b, n, PROMPT_WIDTH]` prompts: masks `[b n, 1, M, M]`, existence `[b n, 1]`."""
        side = fine.shape[-1]
        near = (self.fine_weight(prompt) @ fine.flatten(2)).unflatten(-1, (side, side))
        far = (self.coarse_weight(prompt) @ coarse.flatten(2)).unflatten(-1, coarse.shape[-2:])
        far = F.interpolate(far, size=(side, side), mode="bilinear", align_corners=False)
        mask = near + far + self.bias(prompt)[..., None]
        return mask.flatten(0, 1)[:, None], self.exists(mask.detach(), middle, prompt).reshape(-1, 1)

    def exists(self, mask: torch.Tensor, middle: torch.Tensor, prompt: torch.Tensor) -> torch.Tensor:
        keys, values = self.look(middle).flatten(2), self.seen(middle).flatten(2)
        attention = torch.softmax(self.ask(prompt) @ keys / 48**0.5, -1)
        pooled = attention @ values.transpose(1, 2)
        strongest = F.avg_pool2d(mask, 2).flatten(2).amax(-1, keepdim=True).clamp(-12, 12) / 4
        probability = torch.sigmoid(mask).flatten(2)
        area = probability.mean(-1, keepdim=True)
        sure = (probability * probability).sum(-1, keepdim=True) / (probability.sum(-1, keepdim=True) + 1)
        return self.judge(torch.cat([pooled, prompt, strongest, area, sure], -1))


class Network(nn.Module):
    """The three parts together, as they are trained."""

    def __init__(self, side: int, row_of: torch.Tensor) -> None:
        super().__init__()
        self.image, self.text, self.mask = ImageEncoder(side), TextEncoder(row_of), MaskDecoder()

    def forward(self, image: torch.Tensor, input_ids: torch.Tensor, real: torch.Tensor):
        """`[b, 3, S, S]`, `[b, n, T]` twice → masks `[b, n, M, M]`, existence `[b, n]`."""
        b, n, length = input_ids.shape
        ids, real = input_ids.reshape(b * n, length), real.reshape(b * n, length)
        tokens = self.text(ids, real).transpose(0, 1)
        prompt = self.mask.prompts(tokens, real).reshape(b, n, -1)
        mask, exists = self.mask.answer(*self.image(image), prompt)
        return mask.reshape(b, n, *mask.shape[-2:]), exists.reshape(b, n)

"""The prototypes of folded scales compute what their measured areas stand for."""

import random

import pytest

from verif.floors_folded import MAGNITUDES, SHIFTS, WINDOWS, FoldedElement, FoldedProduct
from verif.netlists import mapped

SEED, COUNT = 20261129, 200


@pytest.mark.parametrize("window", WINDOWS)
def test_folded_element(window):
    """The whole product, cut off below the unit: what a scale has lost before changes nothing."""
    rng, low = random.Random(SEED), SHIFTS[-1] + window
    run = mapped(FoldedElement(window))
    for _ in range(COUNT):
        code, gap, scales = (
            rng.randrange(16),
            rng.randrange(12),
            [rng.randrange(8), rng.randrange(8)],
        )
        gaps = [0, gap] if rng.randrange(2) else [gap, 0]
        inputs = {
            f"{side}{multiple}": (multiple * scale << low) >> distance
            for side, scale, distance in zip("pn", scales, gaps)
            for multiple in (1, 3)
        }
        side = code >> 3
        wanted = (MAGNITUDES[code & 7] * scales[side] << window) >> gaps[side]
        assert run(code=code, **inputs) == {"x1": wanted, "x3": 3 * wanted}, SEED


@pytest.mark.parametrize("window", WINDOWS)
def test_folded_product(window):
    """Every element of the other operand."""
    rng, element = random.Random(SEED), FoldedElement(window)
    product = FoldedProduct(element)
    run = mapped(product)
    for _ in range(COUNT):
        x, shift, triple, neg = (rng.randrange(n) for n in (element.largest + 1, 4, 2, 2))
        triple &= shift < 3
        lows = rng.choice((0, 1 << shift))
        bits = run(x1=x, x3=3 * x, lows=lows, triple=triple, neg=neg)["o"]
        total = sum(factor for i, factor in enumerate(product.factors) if bits >> i & 1)
        assert total == (-1) ** neg * (3 if triple else 1) * x * lows, SEED

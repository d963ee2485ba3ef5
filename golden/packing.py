"""Codes as dense bytes, as files and other tools store them."""

import numpy as np


def pack(codes: np.ndarray, width: int) -> np.ndarray:
    """Codes of ``width`` bits as dense bytes along the last axis, uint8.

    Little-endian throughout: element 0 takes the lowest bits of byte 0. So 4-bit codes have the
    even index in the low nibble, four 6-bit codes fill three bytes, 8-bit codes stay, 16-bit codes
    put the low byte first. (..., n) gives (..., ceil(n * width / 8)), zeros at the end.
    Raises TypeError for codes that are no integers, ValueError for codes beyond the width and
    other widths than 1 to 8 and 16.

    >>> pack(np.array([0x1, 0x2, 0x3]), 4).tolist()
    [33, 3]
    >>> pack(np.array([1, 2, 3, 4]), 6).tolist()  # 000001, 000010, 000011, 000100
    [129, 48, 16]
    """
    _check_width(width)
    codes = np.asarray(codes)
    if codes.dtype.kind not in "ui":
        raise TypeError(f"Codes must be integers, not {codes.dtype}")
    if codes.ndim == 0:
        raise ValueError("Codes must have at least one dimension, not 0")
    if codes.size and (codes.min() < 0 or codes.max() >> width):
        bad = codes.min() if codes.min() < 0 else codes.max()
        raise ValueError(f"Codes must be from 0 to {(1 << width) - 1}, not {bad}")
    if width == 8:
        return codes.astype(np.uint8)
    per_word, word = _word(width)
    n = codes.shape[-1]
    groups = -(-n // per_word)
    padded = np.zeros((*codes.shape[:-1], groups * per_word), word)
    padded[..., :n] = codes
    padded = padded.reshape(*codes.shape[:-1], groups, per_word)
    words: np.ndarray = np.zeros(padded.shape[:-1], word)
    for i in range(per_word):
        words |= padded[..., i] << word(i * width)
    stored = words[..., None].astype(words.dtype.newbyteorder("<")).view(np.uint8)
    stored = stored[..., : per_word * width // 8].reshape(*codes.shape[:-1], -1)
    return np.ascontiguousarray(stored[..., : -(-n * width // 8)])


def unpack(data: np.ndarray, width: int, count: int) -> np.ndarray:
    """The inverse of :func:`pack`: ``count`` codes along the last axis, uint8 or uint16.

    Raises TypeError for data that is not uint8, ValueError when it is not ``count`` codes long.

    >>> unpack(np.uint8([0x21, 0x03]), 4, 3).tolist()
    [1, 2, 3]
    """
    _check_width(width)
    data = np.asarray(data)
    if data.dtype != np.uint8:
        raise TypeError(f"Data must be uint8, not {data.dtype}")
    size = -(-count * width // 8)
    if data.ndim == 0 or data.shape[-1] != size:
        raise ValueError(f"Data must have {size} bytes along the last axis, not {data.shape}")
    per_word, word = _word(width)
    groups = -(-count // per_word)
    length = per_word * width // 8
    lead = data.shape[:-1]
    whole = np.zeros((*lead, groups, np.dtype(word).itemsize), np.uint8)
    padded = np.zeros((*lead, groups * length), np.uint8)
    padded[..., :size] = data
    whole[..., :length] = padded.reshape(*lead, groups, length)
    words: np.ndarray = whole.view(np.dtype(word).newbyteorder("<"))[..., 0].astype(word)
    kind = np.uint8 if width <= 8 else np.uint16
    codes = np.empty((*lead, groups, per_word), kind)
    for i in range(per_word):
        codes[..., i] = (words >> word(i * width)) & word((1 << width) - 1)
    return np.ascontiguousarray(codes.reshape(*lead, -1)[..., :count])


def _check_width(width: int) -> None:
    if width not in (*range(1, 9), 16):
        raise ValueError(f"Width must be 1 to 8 or 16, not {width!r}")


def _word(width: int) -> tuple[int, type]:
    """How many codes end on a byte boundary together, and an integer that holds them."""
    for count, word in ((1, np.uint16), (2, np.uint32), (4, np.uint64), (8, np.uint64)):
        if count * width % 8 == 0 and count * width <= 8 * np.dtype(word).itemsize:
            return count, word
    raise AssertionError(f"no word for codes of {width} bits")

"""The driver every testbench shares: valid/ready streams, and integers out of NumPy arrays."""

from collections.abc import Iterable

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

PATIENCE = 1000  # cycles without a transfer after which a stream is stuck


def pack(codes: np.ndarray, width: int) -> list[int]:
    """Rows of ``width``-bit codes, shape (N, ...), as N integers, the first code in the low bits.

    >>> [hex(i) for i in pack(np.array([[1, 2, 3], [15, 0, 8]]), 4)]
    ['0x321', '0x80f']
    """
    codes = np.ascontiguousarray(codes)
    codes = codes.astype(f"<u{codes.dtype.itemsize}").reshape(len(codes), -1)
    octets = codes.view(np.uint8).reshape(*codes.shape, -1)
    bits = np.unpackbits(octets, axis=-1, count=width, bitorder="little")
    rows = np.packbits(bits.reshape(len(codes), -1), axis=-1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in rows]


def binary(values: np.ndarray, width: int) -> list[str]:
    """Integers or bools (N,), negative ones in two's complement, as strings of ``width`` bits.

    >>> binary(np.array([-1, 5]), 4)
    ['1111', '0101']
    """
    mask = (1 << width) - 1
    return [f"{int(v) & mask:0{width}b}" for v in values.tolist()]


class StreamError(AssertionError):
    """The unit broke a rule of valid/ready streams."""


class Bench:
    """A unit under test between two streams.

    ``inputs``, ``outputs``: names of the payload ports. Results are tuples of strings of bits, as
    the simulator shows them, so that an unknown bit is seen.
    """

    def __init__(self, dut, inputs: Iterable[str], outputs: Iterable[str]):
        self.names = tuple(inputs)
        self.clk, self.rst = dut.clk, dut.rst
        self.i_valid, self.i_ready = dut.i_valid, dut.i_ready
        self.o_valid, self.o_ready = dut.o_valid, dut.o_ready
        self.inputs = [getattr(dut, name) for name in self.names]
        self.outputs = [getattr(dut, name) for name in outputs]
        self.edge = RisingEdge(self.clk)

    async def start(self) -> None:
        """Start the clock, reset, and check that every output is known."""
        for port in (self.i_valid, self.o_ready, *self.inputs):
            port.value = 0
        self.rst.value = 1
        cocotb.start_soon(Clock(self.clk, 10, unit="ns").start())
        await self.edge
        await self.edge
        self.rst.value = 0
        await self.edge
        for port in (self.i_ready, self.o_valid, *self.outputs):
            if not set(str(port.value)) <= {"0", "1"}:
                raise StreamError(f"{port._name} must be known after reset, not {port.value}")
        if str(self.o_valid.value) != "0":
            raise StreamError("o_valid must be 0 after reset, not 1")

    async def reset(self) -> None:
        """Reset for one cycle, whatever the streams are doing; what was on its way is lost."""
        self.rst.value = 1
        await self.edge
        self.rst.value = 0
        self.i_valid.value = 0
        await self.edge
        if str(self.o_valid.value) != "0":
            raise StreamError("o_valid must be 0 after reset, not 1")

    async def stream(self, columns: dict, expected: int, offer=None, take=None, stop=None):
        """Send the rows of ``columns`` (input port: values); return the results and the cycles.

        ``expected``: how many results the rows give; one too many or a missing one raises
        StreamError, and so does a result that changes while it waits. ``offer``, ``take``:
        functions that draw, for a cycle, whether a row is offered and a result taken; None is
        always. ``stop``: the number of rows to leave after, without waiting for results.
        """
        rows = list(zip(*(columns[name] for name in self.names)))
        i_valid, i_ready, o_valid, o_ready = self.i_valid, self.i_ready, self.o_valid, self.o_ready
        inputs, outputs, edge = self.inputs, self.outputs, self.edge
        sent = cycles = idle = 0
        results: list[tuple[str, ...]] = []
        held = None
        valid = ready = False
        while sent < len(rows) or len(results) < expected:
            if not valid and sent < len(rows) and (offer is None or offer()):
                valid = True
                i_valid.value = 1
                for port, value in zip(inputs, rows[sent]):
                    port.value = value
            wanted = take is None or take()
            if wanted != ready:
                ready = wanted
                o_ready.value = int(ready)
            await edge
            cycles += 1
            idle += 1
            if str(o_valid.value) == "1":
                result = tuple([str(port.value) for port in outputs])
                if held is not None and result != held:
                    raise StreamError(
                        f"A waiting result must hold, not change from {held} to {result}"
                    )
                held = None if ready else result
                if ready:
                    results.append(result)
                    idle = 0
                    if len(results) > expected:
                        raise StreamError(f"Results must be {expected}, not more")
            elif held is not None:
                raise StreamError("A waiting result must not be withdrawn")
            if valid and str(i_ready.value) == "1":
                sent += 1
                idle = 0
                if sent == stop:
                    return results, cycles
                if sent < len(rows) and offer is None:
                    for port, value in zip(inputs, rows[sent]):
                        port.value = value
                else:
                    valid = False
                    i_valid.value = 0
            if idle > PATIENCE:
                state = f"{sent} rows and {len(results)} results"
                raise StreamError(
                    f"{len(rows)} rows must give {expected} results, not stand still after {state}"
                )
        await self._quiet(expected)
        return results, cycles

    async def _quiet(self, expected: int) -> None:
        """No result may follow the last one."""
        self.i_valid.value = 0
        self.o_ready.value = 1
        for _ in range(4):
            await self.edge
            if str(self.o_valid.value) != "0":
                raise StreamError(f"Results must be {expected}, not more")
        self.o_ready.value = 0
        await self.edge


def decoded(label: str, fmt, codes: np.ndarray) -> list[str]:
    """Lines that show codes of an element or scale format in hex, and their values."""
    values = fmt.values[codes & (len(fmt.values) - 1)].ravel()
    text = " ".join(f"{value:g}" for value in values)
    digits = " ".join(f"{code:02x}" for code in codes.ravel().tolist())
    return [f"{label} {fmt.name}: {digits}", f"  values {text}"]

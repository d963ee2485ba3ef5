"""The golden model: formats, quantizers, dot products and matrix products, bit for bit. NumPy
only.
"""

from golden.dequantizer import dequantize
from golden.formats import BlockFormat, get_format, list_formats
from golden.outside import rescale
from golden.product import matmul
from golden.quantized import Quantized, from_codes
from golden.quantizer import quantize

__all__ = [
    "BlockFormat",
    "Quantized",
    "dequantize",
    "from_codes",
    "get_format",
    "list_formats",
    "matmul",
    "quantize",
    "rescale",
]

"""Amaranth components: exact dot products, multiply-accumulate units, and the streams around
them."""

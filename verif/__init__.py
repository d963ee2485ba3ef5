"""Testbenches and tests: golden against independent oracles, RTL against golden."""

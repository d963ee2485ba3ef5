"""The command line: names a configuration, writes Verilog, simulates, synthesizes, reports."""

__version__ = "0.1.0"

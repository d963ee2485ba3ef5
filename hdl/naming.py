"""How modules and configurations are called."""


def pair_name(fmt_a, fmt_b):
    """``a`` for a pair of one format, ``a_b`` otherwise."""
    return fmt_a.name if fmt_a == fmt_b else f"{fmt_a.name}_{fmt_b.name}"

"""The built-in library as a Liberty file."""

from __future__ import annotations

from gen.cells import describe, model
from gen.cells.describe import CAPACITANCE, TAU, CellDescription
from gen.cells.model import Edge

SLEWS = (0.0, 0.1, 0.2, 0.4)
"""Nanoseconds at the tables' points. ABC takes the one a third of the way as typical: FO4's."""
LOADS = (0.0, 0.01, 0.05, 0.2)
"""Picofarads at the tables' points; the delays are linear, so that any two would do."""

_HEADER = f"""/* mxforge's built-in cells: written by `python -m gen.cells`, see docs/cells.md.
   Area is the number of transistors over four. Apache-2.0. */
library (mxforge) {{
  delay_model : table_lookup;
  time_unit : "1ns";
  voltage_unit : "1V";
  current_unit : "1mA";
  pulling_resistance_unit : "1kohm";
  leakage_power_unit : "1nW";
  capacitive_load_unit (1, pf);
  nom_process : 1;
  nom_voltage : 1;
  nom_temperature : 25;
  input_threshold_pct_rise : 50;
  input_threshold_pct_fall : 50;
  output_threshold_pct_rise : 50;
  output_threshold_pct_fall : 50;
  slew_lower_threshold_pct_rise : 10;
  slew_lower_threshold_pct_fall : 10;
  slew_upper_threshold_pct_rise : 90;
  slew_upper_threshold_pct_fall : 90;
  default_max_transition : 100;
  lu_table_template (delay) {{
    variable_1 : input_net_transition;
    variable_2 : total_output_net_capacitance;
    index_1 ("{", ".join(f"{slew:g}" for slew in SLEWS)}");
    index_2 ("{", ".join(f"{load:g}" for load in LOADS)}");
  }}
  lu_table_template (check) {{
    variable_1 : related_pin_transition;
    variable_2 : constrained_pin_transition;
    index_1 ("0, 1");
    index_2 ("0, 1");
  }}"""


def liberty() -> str:
    """The text of mxforge.lib."""
    cells = [_combinational(cell) for cell in describe.COMBINATIONAL]
    cells += [_tie("TIE0_X1", "0"), _tie("TIE1_X1", "1"), _flip_flop()]
    return "\n".join([_HEADER, *cells, "}"]) + "\n"


def _combinational(cell: CellDescription) -> str:
    lines = [f"  cell ({cell.name}) {{", f"    area : {model.transistors(cell) / 4:g};"]
    for name in cell.inputs:
        lines.append(_input(name, model.load(cell.stages, name)))
    for name, function in cell.outputs.items():
        lines += [f"    pin ({name}) {{", "      direction : output;"]
        lines.append(f'      function : "{function}";')
        for source in cell.inputs:
            kind = f"timing_sense : {model.sense(cell, source, name)};"
            lines.append(_delay(source, kind, *model.arc(cell, source, name)))
        lines.append("    }")
    return "\n".join([*lines, "  }"])


def _tie(name: str, value: str) -> str:
    return (
        f"  cell ({name}) {{\n    area : {describe.TIE_TRANSISTORS / 4:g};\n"
        f'    pin (Y) {{\n      direction : output;\n      function : "{value}";\n    }}\n  }}'
    )


def _flip_flop() -> str:
    setup = TAU * sum(describe.FLIP_FLOP_SETUP.values())
    edge = Edge(sum(describe.FLIP_FLOP_LAUNCH.values()), 1)
    constraint = f'values ("{setup:g}, {setup:g}", "{setup:g}, {setup:g}");'
    return "\n".join(
        [
            "  cell (DFF_X1) {",
            f"    area : {sum(describe.FLIP_FLOP_TRANSISTORS.values()) / 4:g};",
            "    ff (IQ, IQN) {",
            '      clocked_on : "CK";',
            '      next_state : "D";',
            "    }",
            _input("CK", 1, "      clock : true;"),
            _input(
                "D",
                1,
                '      timing () {\n        related_pin : "CK";\n'
                "        timing_type : setup_rising;\n"
                f"        rise_constraint (check) {{ {constraint} }}\n"
                f"        fall_constraint (check) {{ {constraint} }}\n      }}",
            ),
            '    pin (Q) {\n      direction : output;\n      function : "IQ";',
            _delay(
                "CK", "timing_type : rising_edge;\n        timing_sense : non_unate;", edge, edge
            ),
            "    }\n  }",
        ]
    )


def _input(name: str, load: int, *more: str) -> str:
    capacitance = f"      capacitance : {CAPACITANCE * load:g};"
    lines = [f"    pin ({name}) {{", "      direction : input;", capacitance, *more]
    return "\n".join([*lines, "    }"])


def _delay(source: str, kind: str, rise: Edge, fall: Edge) -> str:
    """A timing group; transitions are twice the output stage's delay, and slow nothing."""
    lines = ["      timing () {", f'        related_pin : "{source}";', f"        {kind}"]
    for name, edge in zip(("rise", "fall"), (rise, fall), strict=True):
        slopes = [edge.resistance * load / CAPACITANCE for load in LOADS]
        delays = _values([TAU * (edge.intrinsic + slope) for slope in slopes])
        lines.append(f"        cell_{name} (delay) {{ {delays} }}")
        slews = _values([TAU * 2 * (edge.resistance + slope) for slope in slopes])
        lines.append(f"        {name}_transition (delay) {{ {slews} }}")
    return "\n".join([*lines, "      }"])


def _values(row: list[float]) -> str:
    text = ", ".join(f"{value:.6g}" for value in row)
    return "values (" + ", ".join([f'"{text}"'] * len(SLEWS)) + ");"

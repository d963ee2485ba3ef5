"""Tiny designs that the tests of synthesis share."""

ADDERS = """
module full_adder (input a, b, c, output s, co);
  assign s = a ^ b ^ c; assign co = (a & b) | (a & c) | (b & c);
endmodule
module half_adder (input a, b, output s, co);
  assign s = a ^ b; assign co = a & b;
endmodule
"""

PIPELINE = (
    ADDERS
    + """
module count(input [6:0] x, output [2:0] n);
  wire s0, c0, s1, c1, c2;
  full_adder a (.a(x[0]), .b(x[1]), .c(x[2]), .s(s0), .co(c0));
  full_adder b (.a(x[3]), .b(x[4]), .c(x[5]), .s(s1), .co(c1));
  full_adder c (.a(s0), .b(s1), .c(x[6]), .s(n[0]), .co(c2));
  full_adder d (.a(c0), .b(c1), .c(c2), .s(n[1]), .co(n[2]));
endmodule
module mask(input [6:0] x, y, output [6:0] z);
  assign z = x & y;
endmodule
module unit(input clk, input [6:0] x, y, output reg [3:0] q);
  wire [6:0] z0, z1; wire [2:0] n0, n1;
  mask m0 (.x(x), .y(y), .z(z0));
  mask m1 (.x(x), .y({y[0], y[6:1]}), .z(z1));
  count c0 (.x(z0), .n(n0));
  count c1 (.x(z1), .n(n1));
  always @(posedge clk) q <= n0 + n1;
endmodule
"""
)
PARTS = {"mask": "products", "count": "reduction", "unit": "accumulator"}

"""The look of diagrams: paper and ink, as in tokens.css, on a light ground of their own.

A picture does not know whether its page is light or dark, nor does a printed export; on its own paper it reads on both.
"""

PAPER = "#fcfbf8"
RECESS = "#f4f2ec"
RULE = "#e0dcd2"
EDGE = "#8b8578"
INK = "#1e1c19"
INK_SOFT = "#56524a"
LAPIS = "#2a469c"
LAPIS_WASH = "#eaeef9"
OCHRE = "#7a5200"
OCHRE_WASH = "#f9f0da"
RED = "#a0261b"
RED_WASH = "#fbebe7"

# For what has to differ: lapis first, then tones that differ in lightness too.
SERIES = (LAPIS, "#b5832a", "#5b8a72", "#a8503f", "#7f7aa8", "#8b8578", "#3f7f97", "#c2a878")
WASHES = (LAPIS_WASH, OCHRE_WASH, "#e6efe9", RED_WASH, "#eeecf6", RECESS, "#e3eff3", "#f5efe2")

# Labels of mermaid are measured in the first; what stands in for it elsewhere is no wider.
FONT = '"DejaVu Sans", Verdana, "Noto Sans", sans-serif'

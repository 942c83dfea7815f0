"""Diagrams that models describe: one file for each renderer, one line for it in `table`.

The house asks `table` what can be drawn and `rendering` for a picture; `generation.drawings` keeps pictures. Renderers
and the sanitiser run in children only (`easel`).
"""

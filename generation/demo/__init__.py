"""A demo model: an OpenAI-compatible server that needs no key, no database and nothing of the rest of this code.

`python -m generation.demo` serves `/v1/models` and `/v1/chat/completions`. It makes its answers from the words of the
prompt and the schema it is given, and knows no recipe. A fault is asked for by model name (`fault-429`, `fault-cut-x2`
for the first two attempts), by the header `X-Demo-Fault`, or on `/control`, which also sets pace, chance and rules.
`/stats` counts what was served.
"""

"""Prompts of the house itself, which no kind of document owns: versions like all others, under `house/…`."""

REPAIR = "house/repair"  # what is said of an answer that has not the shape that was asked for
FORM, TOOL = "house/form", "house/tool"  # what the check of a chain asks each model
CRITIC = "house/critic"  # what a critic is asked of an answer that a model gave
SLOTS = (REPAIR, FORM, TOOL, CRITIC)

"""Who may answer in a conversation, and by which prompt: one line each."""

SLOTS = {
    "assistant": "agents/assistant",
    "anima": "agents/anima",
    "neo": "agents/neo",
    "nexus": "agents/nexus",
}

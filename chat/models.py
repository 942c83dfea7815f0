"""Conversations come with their own issue; the floor stands so that the house has its shape."""

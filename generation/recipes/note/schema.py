"""The shape of a note's outline, as the planner is asked for it."""

from pydantic import BaseModel, Field


class PlannedSection(BaseModel):
    title: str = Field(min_length=1, max_length=200, description="Title of the section")
    summary: str = Field(min_length=1, max_length=1_000, description="What the section says, in one or two sentences")


class Outline(BaseModel):
    title: str = Field(min_length=1, max_length=200, description="Title of the note")
    sections: list[PlannedSection] = Field(min_length=2, max_length=8, description="The sections in reading order")

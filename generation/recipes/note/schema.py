"""A note: titled sections in Markdown; and the shape of its outline, as the planner is asked for it."""

from pydantic import BaseModel, Field

from generation.fields import Fields, Kind, SectionType, line, markdown


class NoteFields(Fields):
    """A note has a title and sections, nothing else."""


class NoteSection(Fields):
    title: str | None = line(200)
    content: str | None = markdown()


NOTE = Kind("note", NoteFields, {"section": SectionType(NoteSection, body="content")})


class PlannedSection(BaseModel):
    title: str = Field(min_length=1, max_length=200, description="Title of the section")
    summary: str = Field(min_length=1, max_length=1_000, description="What the section says, in one or two sentences")


class Outline(BaseModel):
    title: str = Field(min_length=1, max_length=200, description="Title of the note")
    sections: list[PlannedSection] = Field(min_length=2, max_length=8, description="The sections in reading order")

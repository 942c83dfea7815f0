"""Uploads are refused by size before they are read, and again while they are, should their length not be told."""

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

FORM_BYTES = 64 * 1024  # the other fields, and the lines between the parts


class SizeLimit(FileUploadHandler):
    """First among FILE_UPLOAD_HANDLERS: what is too large reaches neither memory nor disk of those after it."""

    def handle_raw_input(self, input_data: Any, META: dict[str, Any], content_length: int, *args: Any) -> None:  # noqa: N803 Django's name
        if content_length > settings.UPLOAD_MAX_BYTES + FORM_BYTES:
            raise RequestDataTooBig("upload")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if start + len(raw_data) > settings.UPLOAD_MAX_BYTES:
            raise RequestDataTooBig("upload")
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The handlers after this one make the file."""

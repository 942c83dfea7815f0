"""What somebody of the staff may do: asked by each verb that needs it, whichever door it came through."""

from memory.base.errors import PermissionRefused
from memory.models import User


def require(user: User, right: str) -> None:
    """Raises `permission.staff` for who is no staff, `permission.right` for staff without this one (`app.codename`)."""
    if not user.is_staff:
        raise PermissionRefused("staff")
    if not user.has_perm(right):
        raise PermissionRefused("right", needed=right)

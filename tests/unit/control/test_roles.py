"""Who may ask for what."""

from __future__ import annotations

import pytest

from engine.control.actors import Actor
from engine.control.plans import Refusal
from engine.control.roles import ADMIN_VERBS, Roles
from engine.control.verbs import VERBS
from engine.model.roles import Role


def allowed(role: Role) -> set[str]:
    """The verbs that a person of a role may ask for."""
    roles, actor, found = Roles({}, role), Actor(0, None), set()
    for verb in VERBS:
        try:
            roles.check(actor, verb, read_only=False)
        except Refusal as refusal:
            assert refusal.code == "role"
        else:
            found.add(verb)
    return found


def test_each_role_may_more_than_the_one_below() -> None:
    """A viewer may nothing, an operator all but what concerns the engine and its pools, an admin everything."""
    assert allowed(Role.VIEWER) == set()
    assert allowed(Role.OPERATOR) == VERBS.keys() - ADMIN_VERBS
    assert allowed(Role.ADMIN) == set(VERBS)


def test_a_read_only_connection_changes_nothing_for_anybody() -> None:
    """It is refused whatever the role."""
    with pytest.raises(Refusal, match="--read-only"):
        Roles().check(Actor(0, None), "trigger", read_only=True)


def test_a_claimed_name_gives_no_role() -> None:
    """Somebody who only claims to be an admin has the role of all others; the attested login has its own."""
    roles = Roles.read({"others": Role.VIEWER, "root": Role.ADMIN})
    claimed = Actor(12345, None, {"SUDO_USER": "root"})
    assert roles.of(claimed) is Role.VIEWER
    assert roles.of(Actor(12345, 0)) is Role.ADMIN
    with pytest.raises(Refusal, match=r"trigger needs the role operator, and root\? is viewer"):
        roles.check(claimed, "trigger", read_only=False)

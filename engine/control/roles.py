"""Who may ask for what. Roles guard against mistakes, not malice: whoever owns the home's files can do anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.control.actors import Actor
from engine.control.plans import Refusal
from engine.model.roles import Role

ADMIN_VERBS = frozenset({"stop", "drain", "resize", "remove"})
"""What concerns the engine and its limits; all other changes are operators' daily work."""


OTHERS = "others"
"""In `[roles]`: everybody who is not named."""


@dataclass(frozen=True, slots=True)
class Roles:
    """Roles by the name of the person; `others` is that of everybody who is not named."""

    by_name: Mapping[str, Role] = field(default_factory=dict)
    others: Role = Role.ADMIN

    @classmethod
    def read(cls, table: Mapping[str, Role]) -> Roles:
        """From `[roles]`: names of people, and `others`."""
        return cls({name: role for name, role in table.items() if name != OTHERS}, table.get(OTHERS, Role.ADMIN))

    def of(self, actor: Actor) -> Role:
        """The role of a person. What is only claimed gives no more than `others` have."""
        return self.by_name.get(actor.user, self.others)

    def check(self, actor: Actor, verb: str, *, read_only: bool) -> None:
        """Raises Refusal when this person, on this connection, may not ask for it."""
        if read_only:
            raise Refusal("role", f"{verb}: this console was opened with --read-only")
        role = self.of(actor)
        needed = Role.ADMIN if verb in ADMIN_VERBS else Role.OPERATOR
        if role < needed:
            raise Refusal(
                "role",
                f"{verb} needs the role {needed.word}, and {actor.name} is {role.word} by [roles] in dagdeck.toml",
            )

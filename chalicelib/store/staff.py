"""Changes of agents that must not cross each other."""

from collections.abc import Callable

from chalicelib.domain.people import Agent
from chalicelib.errors import Conflict, NotFound
from chalicelib.store import documents
from chalicelib.store.codec import decode
from chalicelib.store.models import DocumentItem
from chalicelib.store.transaction import Lost, Transaction

TRIES = 4


def add_agent(agent: Agent) -> bool:
    """False when there is an agent with this id already."""
    return documents.write_new("AGENTS", agent.id, agent)


Beside = Callable[[Transaction, Agent, Agent], None]
"""What stands in the transaction beside the agent, from the agent before and after."""


def change_agent(agent_id: str, change: Callable[[Agent], Agent], beside: Beside | None = None) -> tuple[Agent, Agent]:
    """Apply ``change`` to the agent as it is now and return it before and after.

    It is written only over what was read: an agent who saves a signature must not undo a deactivation.  And it is
    written only beside another active admin as that one was read, when the desk would lose one: two admins who
    demote each other at the same moment would otherwise leave none.

    Raises:
        NotFound: no such agent.
        Conflict: it would leave the desk without an admin, or others kept changing the same agent.
    """
    for _ in range(TRIES):
        found = _read(agent_id)
        before = _agent(found)
        after = change(before)
        if after == before:
            return before, before
        transaction = Transaction()
        transaction.put("agent", documents.item("AGENTS", agent_id, after), DocumentItem.data == found.data)
        if _is_admin(before) and not _is_admin(after):
            witness = _another_admin(agent_id)
            same = DocumentItem("AGENTS", str(witness.sk), data=witness.data)
            transaction.put("witness", same, DocumentItem.data == witness.data)
        if beside is not None:
            beside(transaction, before, after)
        try:
            transaction.commit()
        except Lost:
            continue
        return before, after
    raise Conflict("Somebody else changed this agent at the same moment. Load the page again, then repeat.")


def _read(agent_id: str) -> DocumentItem:
    try:
        return DocumentItem.get("AGENTS", agent_id, consistent_read=True)
    except DocumentItem.DoesNotExist as error:
        raise NotFound("There is no such agent.") from error


def _agent(found: DocumentItem) -> Agent:
    return decode(Agent, found.data or "{}")


def _is_admin(agent: Agent) -> bool:
    return agent.role == "admin" and agent.active


def _another_admin(agent_id: str) -> DocumentItem:
    for found in DocumentItem.query("AGENTS", consistent_read=True):
        if found.sk != agent_id and _is_admin(_agent(found)):
            return found
    raise Conflict("This is the only active admin. Make somebody else an admin first.")

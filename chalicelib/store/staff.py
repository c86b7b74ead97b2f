"""Changes of agents that must not cross each other."""

from chalicelib.domain.people import Agent
from chalicelib.store import documents
from chalicelib.store.codec import encode
from chalicelib.store.models import DocumentItem
from chalicelib.store.transaction import Lost, Transaction


def add_agent(agent: Agent) -> bool:
    """False when there is an agent with this id already."""
    return documents.write_new("AGENTS", agent.id, agent)


def save_agent_beside(agent: Agent, witness: Agent) -> bool:
    """Save ``agent`` only while ``witness`` is as it was read; False when it has changed.

    Two admins who demote each other at the same moment would otherwise leave the desk without one.
    """
    transaction = Transaction()
    transaction.put("agent", documents.item("AGENTS", agent.id, agent))
    unchanged = DocumentItem.data == encode(witness)
    transaction.put("witness", documents.item("AGENTS", witness.id, witness), unchanged)
    try:
        transaction.commit()
    except Lost:
        return False
    return True

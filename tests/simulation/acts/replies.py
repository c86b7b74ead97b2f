"""Saved replies: leaders and agents keep them, and agents insert them into answers."""

from chalicelib.domain.saved_reply import SCOPES
from chalicelib.services import fill_reply, saved_replies
from chalicelib.services.saved_replies import Keeper, ReplyForm
from chalicelib.store import saved_replies as kept
from chalicelib.store import tickets
from tests.simulation.acts import Turn, act


@act(0.6)
def keeps_saved_replies(turn: Turn) -> None:
    """Whoever looks through them, and at how often each was used, keeps a new one; now and then it is deleted and
    brought back.
    """
    desk = turn.desk
    agent = turn.among(desk.agents, "who")
    keeper = Keeper(desk.actor(agent), True, agent.id)
    scope = turn.among(SCOPES, "for whom")
    owner = {"everyone": "", "team": "first", "personal": agent.id}[scope]
    form = ReplyForm(f"Reply {turn.n}", f"reply{turn.n}", scope, owner, {"en": "Hello {customer.name}, it left."})
    other = ReplyForm(f"Reply {turn.n}", f"again{turn.n}", scope, owner, {"en": "It left.", "de": "Es ist unterwegs."})

    def keep() -> None:
        saved_replies.listing(agent, manages=True)
        kept.uses()
        made = saved_replies.create(form, keeper, desk.now())
        saved_replies.change(made.entry.id, other, keeper, desk.now())
        if turn.chance(0.5, "deleted"):
            saved_replies.delete(made.entry.id, keeper, desk.now())
            if turn.chance(0.5, "restored"):
                saved_replies.restore(made.entry.id, keeper, desk.now())
        saved_replies.change_settings(turn.among(("en", "en, de"), "languages"), "Shop", keeper.actor, desk.now())

    desk.web(agent.id, f"keeps saved reply {turn.n}", keep)


@act(0.6)
def inserts_a_saved_reply(turn: Turn) -> None:
    desk = turn.desk
    agent, ticket_id = turn.among(desk.agents, "who"), turn.maybe(desk.ticket_ids(), "ticket")
    chosen = turn.maybe(sorted(sk for pk, sk in desk.items if pk == "REPLIES"), "which")
    if ticket_id is None or chosen is None:
        return

    def insert() -> None:
        reply = kept.get(chosen, desk.now())
        fill_reply.fill(reply, tickets.get(ticket_id), agent)
        kept.count_use(chosen, desk.now())

    desk.web(agent.id, f"inserts {chosen} into {ticket_id}", insert)

"""Bugs planted in the real code: each is one that a desk could have, and each must break a promise soon.

An edit that no longer fits its source fails loudly (``tree.Edit``): then the bug is planted anew where the code went.
"""

from dataclasses import dataclass

from tests.simulation.tree import Edit, Tree


@dataclass(frozen=True)
class Planted:
    name: str
    edits: tuple[Edit, ...]

    def sources(self, tree: Tree) -> dict[str, str]:
        found: dict[str, str] = {}
        for edit in self.edits:
            found[edit.file] = edit.applied(found.get(edit.file) or tree.read(edit.file))
        return found


def _bug(name: str, room: str, *changes: tuple[str, str]) -> Planted:
    return Planted(name, tuple(Edit(f"chalicelib/{room}.py", old, new) for old, new in changes))


def _both(name: str, *parts: Planted) -> Planted:
    return Planted(name, tuple(edit for part in parts for edit in part.edits))


PLANTED: tuple[Planted, ...] = (
    # receiving
    _both(
        "the receipt of an original is not looked for",
        _bug("", "services/receive_message", ("if existing is not None:", "if False:")),
        _bug("", "store/receipts", ('transaction.put_new("receipt",', 'transaction.put("receipt",'),
             ("save(condition=ReceiptItem.pk.does_not_exist())", "save()")),
    ),
    _bug("the duplicate check has the wrong key", "services/receive_message",
         ("sources.claim(transaction, source_key, fingerprint, source)",
          "sources.claim(transaction, message.id, fingerprint, source)")),
    _bug("the tray is emptied before the copy is kept", "store/objects",
         ("    try:\n        _client().copy_object(\n",
          "    _client().delete_object(Bucket=bucket, Key=original.key)\n    try:\n        _client().copy_object(\n")),
    _bug("the envelope does not ride with the original", "store/objects",
         ("Metadata=dict(metadata),\n            MetadataDirective", "Metadata={},\n            MetadataDirective")),
    _bug("the original is kept before its message is stored", "jobs/inbound",
         ("    for inbox in inboxes:\n        _for_inbox(",
          "    objects.keep(original, _small(metadata))\n    for inbox in inboxes:\n        _for_inbox(")),
    _bug("a second inbox of one mail is forgotten", "jobs/inbound",
         ("    for inbox in inboxes:\n        _for_inbox(", "    for inbox in inboxes[:1]:\n        _for_inbox(")),
    _bug("a mail with a virus is shown", "services/receive_message", ("if inbound.refused:", "if False:")),
    _bug("one mail nobody can read stops for ever", "jobs/inbound",
         ("if died_first or attempt < UNREADABLE_ATTEMPT:", "if True:")),
    _bug("a mail is given up because AWS was away", "jobs/inbound",
         ("        return read() if attempt < APART_ATTEMPT else apart(read)\n",
          "        if attempt < APART_ATTEMPT:\n            return read()\n")),
    _bug("an unreadable mail with a virus is shown", "jobs/inbound", ("refused=danger or None", "refused=None")),
    _bug("a mail that kills its reader is read on and on", "jobs/inbound",
         ("return read() if attempt < APART_ATTEMPT else apart(read)", "return read()")),
    _bug("two inboxes that are apart share a ticket", "services/receive_message",
         ("if inbox.separated or directory.inbox(first.inbox_id).separated:", "if False:")),
    _bug("an edit by the customer is taken as done", "services/edit_message",
         ('        if said == text:\n            return "same"', '        if said:\n            return "same"')),
    # queues, stream, clock
    _bug("a failed record of a batch passes for done", "jobs/batches",
         ('            failures.append({"itemIdentifier": record["messageId"]})\n            stopped',
          "            stopped")),
    _bug("the relay forgets receipts", "jobs/relay",
         ("if _is_new(old, new) else []", "if not _is_new(old, new) else []")),
    _bug("the relay raises when a queue is away", "jobs/relay",
         ('            failed("queue not reached", entries=len(entries))\n', "            raise\n")),
    _bug("the relay counts no tickets", "jobs/relay",
         ('if _text(new, "version") == _text(old, "version"):', 'if _text(new, "version") != _text(old, "version"):')),
    _bug("repair drives no receipts again", "jobs/clock", ('if due.pk.startswith("RECEIPTS#"):', "if False:")),
    _bug("repair drives no queued messages again", "jobs/clock",
         ("        return [outgoing(ticket_id, message_id, from_stamp(delivery.send_at), now,",
          "        return [][:0] and [outgoing(ticket_id, message_id, from_stamp(delivery.send_at), now,")),
    _bug("repair leaves the tray alone", "jobs/clock",
         ("for key in originals.overdue(now - timedelta(minutes=originals.TRAY_MINUTES)):", "for key in ():")),
    _bug("the sweep takes the timer's mark off before it sends", "jobs/clock",
         ("    timer = found[0]\n", "    timer = found[0]\n    pending.release(due)\n")),
    _both(
        "a timer acts before its time",
        _bug("", "jobs/clock", ("+ 1) if at > now else 0", "+ 1) * 0 if at > now else 0")),
        _bug("", "jobs/later", ("if at > now:", "if False:")),
    ),
    _bug("the sweep looks ahead the wrong way", "jobs/clock",
         ("now + timedelta(seconds=LOOK_AHEAD_SECONDS)", "now - timedelta(minutes=LOOK_AHEAD_SECONDS)")),
    _bug("a receipt is settled before its consequences", "services/follow_up",
         ('    if receipt.outcome == "shown"', '    receipts.settle(day, name)\n    if receipt.outcome == "shown"')),
    # sending
    _bug("a message is sent before it is claimed", "jobs/outbound",
         ("        claimed = deliver_message.claim(ready, config.now())\n",
          "        sent = channel.send(ready.outbound, ready.inbox, tools)\n"
          "        claimed = deliver_message.claim(ready, config.now())\n"),
         ("        _send(claimed, channel, tools)\n",
          "        deliver_message.record_sent(claimed, sent, config.now())\n")),
    _bug("a delivery moves without its condition", "store/messages",
         ("actions=actions, condition=condition | (DeliveryItem.moved_by == moved_by)", "actions=actions")),
    _bug("a claim looks at nothing", "services/deliver_message",
         ('"sending", ["queued"], at, attempts=attempt,\n        claimed_attempt=ready.attempts,',
          '"sending", ["queued", "sending", "sent", "unclear"], at, attempts=attempt,')),
    _bug("an unclear message is sent again", "services/deliver_message",
         ('_undelivered(outbound.ticket_id, outbound.message_id, "unclear", unclear.message, at, ["sending"])',
          'messages.move_delivery(\n        outbound.ticket_id, outbound.message_id, "queued", ["sending"], at, '
          "settled=False\n    )")),
    _bug("an interrupted send is sent again", "services/deliver_message",
         ('return _undelivered(ticket_id, message_id, "unclear", reason, at, ["sending"])',
          'return messages.move_delivery(ticket_id, message_id, "queued", ["sending"], at, reason, settled=False)')),
    _bug("an unclear message is not shown", "services/deliver_message",
         ("        flag_undelivered(ticket_id, message_id, reason, at)\n",
          "        messages.settle_delivery(ticket_id, message_id)\n")),
    _both(
        "the undo window is not kept",
        _bug("", "services/deliver_message", ("if send_at > at:", "if False:")),
        _bug("", "jobs/relay", ("    if ahead > 0:", "    if False:")),
    ),
    _bug("a message on its way is taken back", "store/messages",
         ('actions, DeliveryItem.state == "queued")', "actions)")),
    _bug("a provider's refusal counts as sent", "services/deliver_message",
         ('outbound.ticket_id, outbound.message_id, "queued", ["sending"], at, refused.message, send_at=again_at,',
          'outbound.ticket_id, outbound.message_id, "sent", ["sending"], at, refused.message, send_at=again_at,')),
    _bug("what did not arrive is on no list", "services/record_state",
         ("else ticket.closed_at, undelivered=True,", "else ticket.closed_at,")),
    # answering
    _bug("nobody looks whether a customer wrote meanwhile", "services/reply_to_ticket",
         ("    _check_nothing_newer(ticket, actor, wanted)\n", "")),
    _bug("a repeated answer is a second one", "services/reply_to_ticket",
         ("seed_bytes = seed.encode() if seed else", "seed_bytes = secrets.token_bytes(16) if seed else")),
    _bug("the idempotency key is ignored", "api/idempotency", ("    if key is None:\n", "    if True:\n")),
    _bug("a ticket is written over what somebody else wrote", "store/tickets",
         ('transaction.put("ticket", item, TicketItem.version == before.ticket.version)',
          'transaction.put("ticket", item)')),
    _bug("the acknowledgement goes out twice", "services/acknowledge",
         ('transaction.put_new("acknowledged", documents.item(of_message,',
          'transaction.put("acknowledged", documents.item(of_message,'),
         ('transaction.put_new("acknowledged", documents.item(of_day,',
          'transaction.put("acknowledged", documents.item(of_day,'),
         ("if any(documents.read(", "if False and any(documents.read(")),
    _bug("a note goes out in the history", "services/deliver_message",
         ('if each.kind != "message" or each.event.get("forward"):', 'if each.event.get("forward"):'),
         ("return customer.lower() in {party.address.lower() for party in parties}", "return True")),
    _bug("an answer goes to the customer of another ticket as well", "services/deliver_message",
         ("from_address=inbox.address, to=message.to,",
          "from_address=inbox.address, to=(*message.to, *(each.sender for each in "
          "messages.newest(str(int(message.ticket_id) - 1)).messages if each.sender)),")),
    _bug("timers act a quarter of a minute late", "jobs/clock",
         ("int((at - now).total_seconds()) + 1)", "int((at - now).total_seconds()) + 16)")),
    # merging
    _bug("what was merged before stays behind", "services/merge_tickets",
         ("            _point(transaction, along, ticket.id, at)\n", "            pass\n")),
    _bug("a merged ticket stays in its lists", "store/tickets",
         ("    if ticket.merged_into is not None:\n        keys", "    if False:\n        keys")),
    _bug("a merged ticket is counted on", "store/counters", ("if ticket.merged_into is not None:", "if False:")),
    # counting
    _bug("the counted-as is not conditional", "store/counters",
         ('transaction.put("counted", item, unchanged)', 'transaction.put("counted", item)')),
    _bug("every other change is not counted", "jobs/work",
         ("        counters.count_again(ticket, ticket.snoozed",
          "        int(ticket.id) % 2 and counters.count_again(ticket, ticket.snoozed")),
    _bug("a list keeps what was closed", "store/tickets",
         ('"status_key": f"{group}#{shard}" if live', '"status_key": f"{group}#{shard}" if True')),
    _bug("a dead letter is taken off before it is sent back", "services/dead_letters",
         ("    sqs.send_message(QueueUrl=target,",
          '    sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])\n'
          "    sqs.send_message(QueueUrl=target,")),
)  # fmt: skip

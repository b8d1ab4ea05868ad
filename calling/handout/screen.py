"""What is on a seller's screen, for whoever only looks: a page that is opened again, or was told a hint."""

from sqlalchemy import text

from calling.handout.connected import awaited
from calling.handout.hand_out import HandOut, one_card
from models.errors import NotFound
from models.work import Work

_SCREEN = text("""
    select s.connected_lease_id,
           (select l.id from lease l
             where l.crm_id = :crm_id and l.seller_id = s.id and l.ended_at is null and l.state <> 'offered'
             order by l.id limit 1) as held
      from seller s where s.crm_id = :crm_id and s.id = :seller_id
""")


def on_screen(work: Work, seller_id: int) -> HandOut | None:
    """The customer whom they took or a dialer put through to them; None: nobody. Takes nobody.

    Raises NotFound.
    """
    seller = work.run(_SCREEN, seller_id=seller_id).first()
    if seller is None:
        raise NotFound("seller", seller_id)
    if seller.connected_lease_id is not None and (
        found := awaited(work, seller_id, seller.connected_lease_id)
    ):
        return one_card(work, found.lease_id, state=found.state, expires_at=found.expires_at)
    return None if seller.held is None else one_card(work, seller.held)

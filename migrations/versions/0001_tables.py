"""tables

Revision: 0001, after:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("crm_id", sa.BigInteger(), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=True),
        sa.Column("dialer_id", sa.BigInteger(), nullable=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role in ('manager', 'seller', 'dialer')", name=op.f("ck_api_key_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_key_prefix")),
    )
    op.create_table(
        "assignment",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rule_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("order_field", sa.Text(), nullable=True),
        sa.Column("order_descending", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("max_attempts", sa.SmallInteger(), server_default="8", nullable=False),
        sa.Column("gap_seconds", sa.BigInteger(), server_default="3600", nullable=False),
        sa.Column("retry_seconds", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("offer_seconds", sa.BigInteger(), server_default="60", nullable=False),
        sa.Column("hold_seconds", sa.BigInteger(), server_default="900", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("gap_seconds >= 0", name=op.f("ck_assignment_gap_seconds")),
        sa.CheckConstraint("max_attempts between 1 and 255", name=op.f("ck_assignment_max_attempts")),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_assignment")),
        sa.UniqueConstraint("crm_id", "name", name=op.f("uq_assignment_crm_id_name")),
    )
    op.create_table(
        "attempt",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lease_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("segment_id", sa.BigInteger(), nullable=False),
        sa.Column("rule_version", sa.BigInteger(), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=True),
        sa.Column("dialer_id", sa.BigInteger(), nullable=True),
        sa.Column("e164", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("counted", sa.SmallInteger(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("rung_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("talk_seconds", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(revision = 0) = (kind = 'first')", name=op.f("ck_attempt_first")),
        sa.CheckConstraint(
            "kind in ('first', 'completion', 'undo', 'correction')", name=op.f("ck_attempt_kind")
        ),
        sa.PrimaryKeyConstraint("crm_id", "lease_id", "revision", name=op.f("pk_attempt")),
        postgresql_partition_by="RANGE (lease_id)",
    )
    op.create_index(
        "ix_attempt_assignment", "attempt", ["crm_id", "assignment_id", "reported_at"], unique=False
    )
    op.create_index("ix_attempt_customer", "attempt", ["crm_id", "customer_id", "lease_id"], unique=False)
    op.create_table(
        "business_clock",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("business_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wall_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("speed", sa.Double(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_business_clock_single")),
        sa.CheckConstraint("speed >= 0", name=op.f("ck_business_clock_speed")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_business_clock")),
    )
    op.create_table(
        "call_clock",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("zones", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("places", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_clock")),
        sa.UniqueConstraint("key", name=op.f("uq_call_clock_key")),
    )
    op.create_table(
        "claim_customer",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("customer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lease_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("crm_id", "customer_id", name=op.f("pk_claim_customer")),
    )
    op.create_index(
        op.f("ix_claim_customer_crm_id_lease_id"), "claim_customer", ["crm_id", "lease_id"], unique=False
    )
    op.create_table(
        "claim_number",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("e164", sa.Text(), nullable=False),
        sa.Column("lease_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("crm_id", "e164", name=op.f("pk_claim_number")),
    )
    op.create_index(
        op.f("ix_claim_number_crm_id_lease_id"), "claim_number", ["crm_id", "lease_id"], unique=False
    )
    op.create_table(
        "customer",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("verified_zone", sa.Text(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("clock_id", sa.BigInteger(), nullable=False),
        sa.Column("reckoning_zone", sa.Text(), nullable=False),
        sa.Column(
            "fields", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("anonymised_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_customer")),
        sa.UniqueConstraint("crm_id", "external_id", name=op.f("uq_customer_crm_id_external_id")),
    )
    op.create_table(
        "data_owner",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_owner")),
        sa.UniqueConstraint("name", name=op.f("uq_data_owner_name")),
    )
    op.create_table(
        "dialer",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("adapter", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=True),
        sa.Column("segment_id", sa.BigInteger(), nullable=True),
        sa.Column("wanted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rings_late_seconds", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("epoch", sa.Text(), nullable=True),
        sa.Column("cursor", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "mode in ('connect', 'key_press', 'voice_robot', 'preview')", name=op.f("ck_dialer_mode")
        ),
        sa.CheckConstraint("wanted >= 0", name=op.f("ck_dialer_wanted")),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_dialer")),
        sa.UniqueConstraint("crm_id", "name", name=op.f("uq_dialer_crm_id_name")),
    )
    op.create_index(
        op.f("ix_dialer_crm_id_assignment_id"), "dialer", ["crm_id", "assignment_id"], unique=False
    )
    op.create_table(
        "dialer_event",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dialer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("lease_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("crm_id", "dialer_id", "event_id", name=op.f("pk_dialer_event")),
    )
    op.create_index(
        op.f("ix_dialer_event_crm_id_dialer_id_received_at"),
        "dialer_event",
        ["crm_id", "dialer_id", "received_at"],
        unique=False,
        postgresql_where=sa.text("processed_at is null"),
    )
    op.create_table(
        "field",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.SmallInteger(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "type in ('text', 'number', 'date', 'yes_no', 'choice')", name=op.f("ck_field_type")
        ),
        sa.PrimaryKeyConstraint("crm_id", "key", name=op.f("pk_field")),
    )
    op.create_table(
        "import_run",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("updated", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unchanged", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rejected", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("state in ('running', 'done', 'failed')", name=op.f("ck_import_run_state")),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_import_run")),
    )
    op.create_table(
        "lease",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("segment_id", sa.BigInteger(), nullable=False),
        sa.Column("rule_version", sa.BigInteger(), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=True),
        sa.Column("dialer_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("e164", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ring_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rung_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wrap_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint("(state = 'ended') = (ended_at is not null)", name=op.f("ck_lease_ended")),
        sa.CheckConstraint(
            "ended_by in ('outcome', 'released', 'recalled', 'expired', 'never_seen', 'unconfirmed')",
            name=op.f("ck_lease_ended_by"),
        ),
        sa.CheckConstraint(
            "state in ('offered', 'taken', 'rung', 'wrap_up', 'ended')", name=op.f("ck_lease_state")
        ),
        sa.CheckConstraint(
            "state not in ('rung', 'wrap_up') or rung_at is not null", name=op.f("ck_lease_rung")
        ),
        sa.CheckConstraint("(ended_at is null) = (ended_by is null)", name=op.f("ck_lease_ending")),
        sa.CheckConstraint("(seller_id is null) <> (dialer_id is null)", name=op.f("ck_lease_one_holder")),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_lease")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index("ix_lease_customer", "lease", ["crm_id", "customer_id", "id"], unique=False)
    op.create_index(
        "ix_lease_dialer",
        "lease",
        ["crm_id", "dialer_id", "id"],
        unique=False,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_index(
        "ix_lease_expiry",
        "lease",
        ["crm_id", "expires_at"],
        unique=False,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_index(
        "ix_lease_live",
        "lease",
        ["crm_id", "assignment_id", "segment_id"],
        unique=False,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_index(
        "ix_lease_seller",
        "lease",
        ["crm_id", "seller_id", "id"],
        unique=False,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_table(
        "pause",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("walled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.CheckConstraint("(scope = 'crm') = (target_id is null)", name=op.f("ck_pause_target")),
        sa.CheckConstraint(
            "scope in ('crm', 'assignment', 'segment', 'seller', 'dialer')", name=op.f("ck_pause_scope")
        ),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_pause")),
    )
    op.create_index(
        "ix_pause_standing",
        "pause",
        ["crm_id", "scope", "target_id"],
        unique=False,
        postgresql_where=sa.text("lifted_at is null"),
    )
    op.create_table(
        "rebuild",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rule_version", sa.BigInteger(), nullable=True),
        sa.Column("scanned", sa.BigInteger(), nullable=True),
        sa.Column("moved", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_rebuild")),
    )
    op.create_index(
        "ix_rebuild_open",
        "rebuild",
        ["crm_id", "requested_at"],
        unique=False,
        postgresql_where=sa.text("finished_at is null"),
    )
    op.create_index(
        "uq_rebuild_waiting",
        "rebuild",
        ["crm_id", "assignment_id"],
        unique=True,
        postgresql_where=sa.text("started_at is null"),
    )
    op.create_table(
        "recall",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lease_id", sa.Uuid(), nullable=False),
        sa.Column("dialer_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "answer in ('recalled', 'never_seen', 'taken', 'late')", name=op.f("ck_recall_answer")
        ),
        sa.PrimaryKeyConstraint("crm_id", "lease_id", name=op.f("pk_recall")),
    )
    op.create_index(
        op.f("ix_recall_crm_id_dialer_id"),
        "recall",
        ["crm_id", "dialer_id"],
        unique=False,
        postgresql_where=sa.text("answered_at is null"),
    )
    op.create_table(
        "ring_limit",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("rung_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gap_until", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("scope in ('customer', 'number')", name=op.f("ck_ring_limit_scope")),
        sa.PrimaryKeyConstraint("crm_id", "scope", "subject", name=op.f("pk_ring_limit")),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_table(
        "rule_set",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("walled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("crm_id", "assignment_id", "version", name=op.f("pk_rule_set")),
    )
    op.create_table(
        "seller",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("presence", sa.Text(), server_default="away", nullable=False),
        sa.Column("presence_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=True),
        sa.Column("segment_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("presence in ('available', 'away')", name=op.f("ck_seller_presence")),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_seller")),
        sa.UniqueConstraint("crm_id", "name", name=op.f("uq_seller_crm_id_name")),
    )
    op.create_index(
        op.f("ix_seller_crm_id_assignment_id"), "seller", ["crm_id", "assignment_id"], unique=False
    )
    op.create_table(
        "suppression",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("e164", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("walled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(e164 is null) <> (customer_id is null)", name=op.f("ck_suppression_subject")),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_suppression")),
    )
    op.create_index(
        "ix_suppression_customer",
        "suppression",
        ["crm_id", "customer_id"],
        unique=False,
        postgresql_where=sa.text("lifted_at is null"),
    )
    op.create_index(
        "ix_suppression_number",
        "suppression",
        ["crm_id", "e164"],
        unique=False,
        postgresql_where=sa.text("lifted_at is null"),
    )
    op.create_table(
        "crm",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("hours", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('b2b', 'b2c')", name=op.f("ck_crm_kind")),
        sa.ForeignKeyConstraint(["owner_id"], ["data_owner.id"], name=op.f("fk_crm_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crm")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_crm_owner_id_name")),
    )
    op.create_table(
        "customer_number",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("customer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("e164", sa.Text(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="unverified", nullable=False),
        sa.Column("zones", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint("e164 ~ '^\\+[1-9][0-9]{3,14}$'", name=op.f("ck_customer_number_e164")),
        sa.CheckConstraint(
            "state in ('unverified', 'good', 'disconnected', 'wrong_person')",
            name=op.f("ck_customer_number_state"),
        ),
        sa.ForeignKeyConstraint(
            ["crm_id", "customer_id"],
            ["customer.crm_id", "customer.id"],
            name=op.f("fk_customer_number_crm_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "customer_id", "e164", name=op.f("pk_customer_number")),
    )
    op.create_index(
        op.f("ix_customer_number_crm_id_e164"), "customer_number", ["crm_id", "e164"], unique=False
    )
    op.create_table(
        "placement",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("customer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="new", nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("segment_id", sa.BigInteger(), nullable=False),
        sa.Column("clock_id", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gated_by", sa.Text(), nullable=True),
        sa.Column("gated_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_id", sa.Uuid(), nullable=True),
        sa.Column("return_state", sa.Text(), nullable=True),
        sa.Column("return_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_outcome", sa.Text(), nullable=True),
        sa.Column("last_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_lease_id", sa.Uuid(), nullable=True),
        sa.Column("rule_version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(state = 'leased') = (lease_id is not null)", name=op.f("ck_placement_leased")),
        sa.CheckConstraint(
            "(state = 'leased') = (return_state is not null)", name=op.f("ck_placement_returns")
        ),
        sa.CheckConstraint(
            "(state in ('resting', 'follow_up')) <= (due_at is not null)", name=op.f("ck_placement_due")
        ),
        sa.CheckConstraint(
            "return_state in ('ready', 'resting', 'follow_up', 'closed')",
            name=op.f("ck_placement_return_state"),
        ),
        sa.CheckConstraint(
            "return_state in ('resting', 'follow_up') <= (return_due_at is not null)",
            name=op.f("ck_placement_return_due"),
        ),
        sa.CheckConstraint(
            "state in ('ready', 'leased', 'resting', 'follow_up', 'closed', 'left', 'anonymised')",
            name=op.f("ck_placement_state"),
        ),
        sa.CheckConstraint("(gated_by is null) = (gated_until is null)", name=op.f("ck_placement_gate")),
        sa.ForeignKeyConstraint(
            ["crm_id", "assignment_id"],
            ["assignment.crm_id", "assignment.id"],
            name=op.f("fk_placement_crm_id_assignment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["crm_id", "customer_id"],
            ["customer.crm_id", "customer.id"],
            name=op.f("fk_placement_crm_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "assignment_id", "customer_id", name=op.f("pk_placement")),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index("ix_placement_customer", "placement", ["crm_id", "customer_id"], unique=False)
    op.create_index(
        "ix_placement_due",
        "placement",
        ["crm_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("state in ('resting', 'follow_up')"),
    )
    op.create_index(
        "ix_placement_gated",
        "placement",
        ["crm_id", "gated_until"],
        unique=False,
        postgresql_where=sa.text("gated_by is not null"),
    )
    op.create_index(
        "ix_placement_ready",
        "placement",
        ["crm_id", "assignment_id", "segment_id", "clock_id", "rank", "customer_id"],
        unique=False,
        postgresql_where=sa.text("state = 'ready' and gated_by is null"),
    )
    op.create_table(
        "segment",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("rule", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(key = 'unsegmented') = (rule is null)", name=op.f("ck_segment_rule")),
        sa.ForeignKeyConstraint(
            ["crm_id", "assignment_id"],
            ["assignment.crm_id", "assignment.id"],
            name=op.f("fk_segment_crm_id_assignment_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "id", name=op.f("pk_segment")),
        sa.UniqueConstraint(
            "crm_id", "assignment_id", "key", name=op.f("uq_segment_crm_id_assignment_id_key")
        ),
    )
    op.create_table(
        "hold",
        sa.Column("crm_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("customer_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("segment_id", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["crm_id", "assignment_id", "customer_id"],
            ["placement.crm_id", "placement.assignment_id", "placement.customer_id"],
            name=op.f("fk_hold_crm_id_assignment_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("crm_id", "assignment_id", "customer_id", name=op.f("pk_hold")),
    )
    op.create_index(
        op.f("ix_hold_crm_id_expires_at"),
        "hold",
        ["crm_id", "expires_at"],
        unique=False,
        postgresql_where=sa.text("expires_at is not null"),
    )


def downgrade() -> None:
    op.drop_index(
        op.f("ix_hold_crm_id_expires_at"),
        table_name="hold",
        postgresql_where=sa.text("expires_at is not null"),
    )
    op.drop_table("hold")
    op.drop_table("segment")
    op.drop_index(
        "ix_placement_ready",
        table_name="placement",
        postgresql_where=sa.text("state = 'ready' and gated_by is null"),
    )
    op.drop_index(
        "ix_placement_gated", table_name="placement", postgresql_where=sa.text("gated_by is not null")
    )
    op.drop_index(
        "ix_placement_due",
        table_name="placement",
        postgresql_where=sa.text("state in ('resting', 'follow_up')"),
    )
    op.drop_index("ix_placement_customer", table_name="placement")
    op.drop_table("placement")
    op.drop_index(op.f("ix_customer_number_crm_id_e164"), table_name="customer_number")
    op.drop_table("customer_number")
    op.drop_table("crm")
    op.drop_index(
        "ix_suppression_number", table_name="suppression", postgresql_where=sa.text("lifted_at is null")
    )
    op.drop_index(
        "ix_suppression_customer", table_name="suppression", postgresql_where=sa.text("lifted_at is null")
    )
    op.drop_table("suppression")
    op.drop_index(op.f("ix_seller_crm_id_assignment_id"), table_name="seller")
    op.drop_table("seller")
    op.drop_table("rule_set")
    op.drop_table("ring_limit")
    op.drop_index(
        op.f("ix_recall_crm_id_dialer_id"),
        table_name="recall",
        postgresql_where=sa.text("answered_at is null"),
    )
    op.drop_table("recall")
    op.drop_index("uq_rebuild_waiting", table_name="rebuild", postgresql_where=sa.text("started_at is null"))
    op.drop_index("ix_rebuild_open", table_name="rebuild", postgresql_where=sa.text("finished_at is null"))
    op.drop_table("rebuild")
    op.drop_index("ix_pause_standing", table_name="pause", postgresql_where=sa.text("lifted_at is null"))
    op.drop_table("pause")
    op.drop_index("ix_lease_seller", table_name="lease", postgresql_where=sa.text("ended_at is null"))
    op.drop_index("ix_lease_live", table_name="lease", postgresql_where=sa.text("ended_at is null"))
    op.drop_index("ix_lease_expiry", table_name="lease", postgresql_where=sa.text("ended_at is null"))
    op.drop_index("ix_lease_dialer", table_name="lease", postgresql_where=sa.text("ended_at is null"))
    op.drop_index("ix_lease_customer", table_name="lease")
    op.drop_table("lease")
    op.drop_table("import_run")
    op.drop_table("field")
    op.drop_index(
        op.f("ix_dialer_event_crm_id_dialer_id_received_at"),
        table_name="dialer_event",
        postgresql_where=sa.text("processed_at is null"),
    )
    op.drop_table("dialer_event")
    op.drop_index(op.f("ix_dialer_crm_id_assignment_id"), table_name="dialer")
    op.drop_table("dialer")
    op.drop_table("data_owner")
    op.drop_table("customer")
    op.drop_index(op.f("ix_claim_number_crm_id_lease_id"), table_name="claim_number")
    op.drop_table("claim_number")
    op.drop_index(op.f("ix_claim_customer_crm_id_lease_id"), table_name="claim_customer")
    op.drop_table("claim_customer")
    op.drop_table("call_clock")
    op.drop_table("business_clock")
    op.drop_index("ix_attempt_customer", table_name="attempt")
    op.drop_index("ix_attempt_assignment", table_name="attempt")
    op.drop_table("attempt")
    op.drop_table("assignment")
    op.drop_table("api_key")

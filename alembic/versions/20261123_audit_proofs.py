"""Who, from where and how it ended, in the audit log; and what proves that the log is complete.

What is personal moves out of the entries, which never change from now on, into rows beside them, where it can be
destroyed. The release before writes it into the entries still: a trigger moves it for as long as that release may run.

Revision: 5d1c40e9a7b2, after 8d2f6c91b7e4. Made on 2026-11-23.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "5d1c40e9a7b2"
down_revision = "8d2f6c91b7e4"
branch_labels = None
depends_on = None

_REFUSED = (
    "'session.token_reuse_detected', 'session.proof_refused', 'sign_in.refused', 'sign_in.guesses_used_up', "
    "'email_verification.proof_refused', 'registration.repeated', 'message.died'"
)
# Of one entry: its personal details with a salt each, 32 bytes as hex, and the commitments to them. A JSON string is
# written by PostgreSQL as RFC 8785 has it.
_SPLIT = """
    CREATE FUNCTION split_audit_details(details jsonb, OUT personal jsonb, OUT commitments jsonb) AS $$
        SELECT jsonb_object_agg(key, jsonb_build_object('salt', encode(salt, 'hex'), 'value', value)),
               coalesce(jsonb_object_agg(key, encode(sha256(salt || convert_to(value::text, 'UTF8')), 'hex')), '{}')
        FROM (
            SELECT key, value, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) AS salt
            FROM jsonb_each(details)
            WHERE key IN ('network_address', 'explanation') AND value <> 'null'
            OFFSET 0
        ) AS found
    $$ LANGUAGE sql VOLATILE
"""
_NULLED = """
    CREATE FUNCTION nulled_audit_details(details jsonb) RETURNS jsonb AS $$
        SELECT coalesce(
            jsonb_object_agg(
                key, CASE WHEN key IN ('network_address', 'explanation') THEN 'null' ELSE value END
            ),
            '{}'
        )
        FROM jsonb_each(details)
    $$ LANGUAGE sql IMMUTABLE
"""
_TRIGGER = f"""
    CREATE FUNCTION complete_audit_entry() RETURNS trigger AS $$
    DECLARE
        split record;
    BEGIN
        SELECT * INTO split FROM split_audit_details(NEW.details);
        INSERT INTO audit_proofs (sequence, personal) VALUES (NEW.sequence, split.personal);
        NEW.actor_id := (NEW.details ->> 'by')::uuid;
        NEW.details := nulled_audit_details(NEW.details);
        NEW.commitments := split.commitments;
        IF NEW.event IN ({_REFUSED}) THEN
            NEW.outcome := 'refused';
        END IF;
        RETURN NEW;
    END;
    $$ LANGUAGE plpgsql
"""  # noqa: S608  (names of ours)

# The release before forgets by writing entries anew without what is personal, which would look as if they were edited.
_FORGET = """
    CREATE FUNCTION forget_audit_entry() RETURNS trigger AS $$
    BEGIN
        UPDATE audit_proofs SET personal = NULL WHERE sequence = OLD.sequence;
        RETURN NULL;
    END;
    $$ LANGUAGE plpgsql
"""
_MOVE = f"""
    WITH split AS (
        SELECT sequence, personal, found.commitments
        FROM audit_entries CROSS JOIN LATERAL split_audit_details(details) AS found
    ), moved AS (
        INSERT INTO audit_proofs (sequence, personal) SELECT sequence, personal FROM split
    )
    UPDATE audit_entries
    SET details = nulled_audit_details(details),
        commitments = split.commitments,
        actor_id = (details ->> 'by')::uuid,
        outcome = CASE WHEN event IN ({_REFUSED}) THEN 'refused' ELSE 'success' END
    FROM split
    WHERE split.sequence = audit_entries.sequence
"""  # noqa: S608  (as above)


def upgrade() -> None:
    """Add columns, tables and trigger; move what is personal."""
    op.add_column("audit_entries", sa.Column("outcome", sa.Text(), server_default="success", nullable=False))
    op.add_column("audit_entries", sa.Column("source", sa.Text(), nullable=True))
    op.add_column("audit_entries", sa.Column("actor_id", sa.Uuid(), nullable=True))
    op.add_column("audit_entries", sa.Column("request_id", sa.Uuid(), nullable=True))
    op.add_column("audit_entries", sa.Column("commitments", postgresql.JSONB(), nullable=True))
    op.create_table(
        "audit_proofs",
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("personal", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("chain_hash", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["sequence"],
            ["audit_entries.sequence"],
            name=op.f("fk_audit_proofs_sequence_audit_entries"),
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_proofs")),
        sa.UniqueConstraint("position", name=op.f("uq_audit_proofs_position")),
    )
    op.create_table(
        "audit_checkpoints",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("chain_hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_checkpoints")),
    )
    for statement in (_SPLIT, _NULLED, _TRIGGER, _FORGET):
        op.execute(statement)
    op.execute(_MOVE)
    # Checked now: what is to be altered below may have nothing open.
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    op.execute(
        "CREATE TRIGGER tg_audit_entries_completed BEFORE INSERT ON audit_entries "
        "FOR EACH ROW WHEN (NEW.commitments IS NULL) EXECUTE FUNCTION complete_audit_entry()"
    )
    op.execute(
        "CREATE TRIGGER tg_audit_entries_forgotten BEFORE UPDATE ON audit_entries FOR EACH ROW "
        "WHEN (NEW.details = OLD.details - ARRAY['explanation', 'network_address'] "
        "AND to_jsonb(NEW) - 'details' = to_jsonb(OLD) - 'details') EXECUTE FUNCTION forget_audit_entry()"
    )
    op.create_index("ix_audit_entries_actor_id_sequence", "audit_entries", ["actor_id", "sequence"])
    op.create_index("ix_audit_entries_event_sequence", "audit_entries", ["event", "sequence"])
    op.create_index("ix_audit_entries_occurred_at_sequence", "audit_entries", ["occurred_at", "sequence"])
    op.create_index(
        "ix_audit_entries_refused", "audit_entries", ["sequence"], postgresql_where=sa.text("outcome = 'refused'")
    )
    op.create_index(
        "ix_audit_proofs_unsealed", "audit_proofs", ["sequence"], postgresql_where=sa.text("position IS NULL")
    )
    op.create_index(
        "ix_audit_proofs_personal", "audit_proofs", ["sequence"], postgresql_where=sa.text("personal IS NOT NULL")
    )


def downgrade() -> None:
    """Put what is left of what is personal back, and drop the rest: what proved the log is gone with it."""
    for trigger in ("completed", "forgotten"):
        op.execute(f"DROP TRIGGER tg_audit_entries_{trigger} ON audit_entries")
    op.execute(
        "UPDATE audit_entries SET details = details || ("
        "  SELECT jsonb_object_agg(key, value -> 'value') FROM jsonb_each(personal)"
        ") FROM audit_proofs WHERE audit_proofs.sequence = audit_entries.sequence AND personal IS NOT NULL"
    )
    op.drop_table("audit_checkpoints")
    op.drop_table("audit_proofs")
    for function in (
        "forget_audit_entry()",
        "complete_audit_entry()",
        "split_audit_details(jsonb)",
        "nulled_audit_details(jsonb)",
    ):
        op.execute(f"DROP FUNCTION {function}")
    for index in ("refused", "occurred_at_sequence", "event_sequence", "actor_id_sequence"):
        op.drop_index(f"ix_audit_entries_{index}", table_name="audit_entries")
    for column in ("commitments", "request_id", "actor_id", "source", "outcome"):
        op.drop_column("audit_entries", column)

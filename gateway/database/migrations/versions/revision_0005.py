"""Users and their sessions; changes of who may come in are numbered."""

import sqlalchemy as sa
from alembic import op

revision = "0005_users"
down_revision = "0004_usage"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    numbers = op.create_table(
        "access_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_revision")),
    )
    op.bulk_insert(numbers, [{"id": 1, "number": 0}])
    op.drop_index("ix_api_keys_changed_ns", "api_keys")
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.drop_column("changed_ns")
        batch_op.add_column(sa.Column("revision", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index("ix_api_keys_revision", "api_keys", ["revision"])
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=True),
        sa.Column("password_hash", sa.String(length=256), nullable=False),
        sa.Column("scopes", sa.String(length=64), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("disabled_ns", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name=op.f("uq_users_name")),
    )
    op.create_index("ix_users_revision", "users", ["revision"])
    op.create_table(
        "user_sessions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_ns", sa.BigInteger(), nullable=False),
        sa.Column("expires_ns", sa.BigInteger(), nullable=False),
        sa.Column("ended_ns", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_sessions_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_sessions")),
    )
    op.create_index("ix_user_sessions_revision", "user_sessions", ["revision"])
    op.create_index("ix_user_sessions_expires_ns", "user_sessions", ["expires_ns"])
    op.create_index("ix_user_sessions_user_id", "user_sessions", ["user_id"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("user_sessions")
    op.drop_table("users")
    op.drop_index("ix_api_keys_revision", "api_keys")
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.drop_column("revision")
        batch_op.add_column(sa.Column("changed_ns", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index("ix_api_keys_changed_ns", "api_keys", ["changed_ns"])
    op.drop_table("access_revision")

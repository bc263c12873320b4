"""Rows of a large installation: what `benchmarks.fill` puts into each table, one statement a table.

Every row is made from its number alone, so that whatever was interrupted can go on. What is sealed in earnest is text
of the same length here, and opens nothing; what proves the audit log is as long as a proof, and proves nothing.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many there are to be, and from when to when. Audit entries go on behind those that are there."""

    users: int
    sessions: int
    tokens_per_session: int
    entries: int
    since: datetime
    until: datetime
    last_sequence: int = 0
    last_position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Rows of one table. In the statement `n` runs from `$1` to `$2`, which are among 1 and `count`."""

    table: str
    count: int
    statement: str


def functions(plan: Plan) -> str:
    """What the statements have in common. Ids tell their time, as UUIDv7 do."""
    since, until = plan.since.isoformat(), plan.until.isoformat()
    return f"""
CREATE FUNCTION pg_temp.made_id(kind text, n bigint, moment timestamptz) RETURNS uuid STABLE LANGUAGE sql AS $$
    SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '7'
            || overlay(substr(md5(kind || n), 1, 19) PLACING '8' FROM 4 FOR 1))::uuid
$$;
CREATE FUNCTION pg_temp.moment_of(n bigint, count bigint, days integer) RETURNS timestamptz STABLE LANGUAGE sql AS $$
    SELECT timestamptz '{until}' - (count - n)::float8 / count * days * interval '1 day'
$$;
CREATE FUNCTION pg_temp.joined_at(n bigint) RETURNS timestamptz STABLE LANGUAGE sql AS $$
    SELECT timestamptz '{since}' + (timestamptz '{until}' - timestamptz '{since}') * (n::float8 / {plan.users})
$$;
CREATE FUNCTION pg_temp.user_id(n bigint) RETURNS uuid STABLE LANGUAGE sql AS $$
    SELECT pg_temp.made_id('user', n, pg_temp.joined_at(n))
$$;
CREATE FUNCTION pg_temp.any_user(n bigint) RETURNS uuid STABLE LANGUAGE sql AS $$
    SELECT pg_temp.user_id(1 + n * 7919 % {plan.users})
$$;
CREATE FUNCTION pg_temp.sealed(n bigint, length integer) RETURNS text STABLE LANGUAGE sql AS $$
    SELECT 'v1.0123abcd.' || left(repeat(md5(n::text), 40), length - 12)
$$;
"""  # noqa: S608  (made of what stands here)


_USERS = """
INSERT INTO users (id, version, email, email_canonical, email_verified_at, password_hash, display_name, locale, roles,
                   security_epoch, suspended_at, suspended_until, suspension_reason, deletion_due_at, created_at,
                   updated_at, last_seen_at)
SELECT pg_temp.user_id(n), 1 + n % 4, address, address, CASE WHEN n % 10 <> 3 THEN moment + interval '5 minutes' END,
       pg_temp.sealed(n, 180), initcap(first) || ' ' || initcap(last), (ARRAY['en', 'de', 'fr', 'es', NULL])[1 + n % 5],
       CASE WHEN n % 100000 = 7 THEN '{admin}'::text[] WHEN n % 1000 = 11 THEN '{porter}' ELSE '{}' END, n % 3,
       CASE WHEN n % 100 = 17 THEN moment + interval '1 day' END,
       CASE WHEN n % 200 = 17 THEN timestamptz 'UNTIL' + n % 30 * interval '1 day' + interval '1 hour' END,
       CASE WHEN n % 100 = 17 THEN 'has sent advertisements to others' END,
       CASE WHEN n % 1000 = 19 THEN timestamptz 'UNTIL' + n % 14 * interval '1 day' + interval '1 hour' END,
       moment, moment, moment + (timestamptz 'UNTIL' - moment) * (n * 7919 % 1000 / 1000.0)
FROM generate_series($1::bigint, $2::bigint) AS n,
     LATERAL (SELECT pg_temp.joined_at(n) AS moment,
                     (ARRAY['ada', 'grace', 'alan', 'edsger', 'barbara', 'donald', 'frances', 'tony', 'radia', 'ken',
                            'margaret', 'dennis', 'karen', 'niklaus', 'adele', 'leslie'])[1 + n * 31 % 16] AS first,
                     (ARRAY['lovelace', 'hopper', 'turing', 'dijkstra', 'liskov', 'knuth', 'allen', 'hoare', 'perlman',
                            'thompson', 'hamilton', 'ritchie', 'jones', 'wirth', 'goldberg', 'lamport', 'lamarr',
                            'shannon', 'noether'])[1 + n * 17 % 19] AS last) AS named,
     LATERAL (SELECT first || '.' || last || n || '@example' || n * 7 % 97 || '.com' AS address) AS addressed
"""
_TOTP_FACTORS = """
INSERT INTO totp_factors (id, version, user_id, name, sealed_secret, created_at, activated_at, last_step)
SELECT pg_temp.made_id('totp', n, pg_temp.joined_at(n * 25)), 2, pg_temp.user_id(n * 25), 'telephone',
       pg_temp.sealed(n, 76), pg_temp.joined_at(n * 25), CASE WHEN n % 50 <> 1 THEN pg_temp.joined_at(n * 25) END,
       58000000
FROM generate_series($1::bigint, $2::bigint) AS n
"""
_PASSKEYS = """
INSERT INTO passkeys (id, version, user_id, name, user_handle, credential_id, public_key, sign_count, backup_eligible,
                      backed_up, user_verified, transports, aaguid, created_at)
SELECT pg_temp.made_id('passkey', n, pg_temp.joined_at(n * 100)), 1, pg_temp.user_id(n * 100), 'laptop',
       uuid_send(pg_temp.user_id(n * 100)), sha256(int8send(n)),
       sha256(int8send(n)) || sha256(int8send(-n)) || '0123456789abc'::bytea, 0, true, true, true, '{internal,hybrid}',
       'ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4', pg_temp.joined_at(n * 100)
FROM generate_series($1::bigint, $2::bigint) AS n
"""
_RECOVERY_CODES = """
INSERT INTO recovery_codes (user_id, handle, code_hash, made_at)
SELECT pg_temp.user_id(1 + (n - 1) / 10 * 25), 'AA0' || (n - 1) % 10, pg_temp.sealed(n, 180),
       pg_temp.joined_at(1 + (n - 1) / 10 * 25)
FROM generate_series($1::bigint, $2::bigint) AS n
"""
# Of sixty days, after which they are purged: half can be live, and are but for those that were ended.
_SESSIONS = """
INSERT INTO sessions (id, version, user_id, security_epoch, methods, user_agent, network_address, device_name,
                      authenticated_at, created_at, last_used_at, expires_at, generation, ended_at, end_reason)
SELECT pg_temp.made_id('session', n, moment), TOKENS, pg_temp.any_user(n), (1 + n * 7919 % USERS) % 3,
       CASE WHEN n % 20 = 0 THEN '{pwd,otp}'::text[] ELSE '{pwd}' END,
       'Mozilla/5.0 (X11; Linux x86_64; rv:14' || n % 10 || '.0) Gecko/20100101 Firefox/14' || n % 10 || '.0',
       '203.0.' || n % 256 || '.' || n / 256 % 256, 'Firefox on Linux', moment, moment,
       moment + interval '1 hour', moment + interval '30 days', TOKENS,
       CASE WHEN n % 4 = 0 THEN moment + interval '1 hour' END, CASE WHEN n % 4 = 0 THEN 'signed_out' END
FROM generate_series($1::bigint, $2::bigint) AS n, LATERAL (SELECT pg_temp.moment_of(n, COUNT, 60) AS moment) AS at
"""
# The last but one keeps the answer that was given for it.
_REFRESH_TOKENS = """
INSERT INTO refresh_tokens (digest, session_id, generation, issued_at, rotated_at, sealed_answer)
SELECT sha256(int8send(n * 1000 + generation)), pg_temp.made_id('session', n, moment), generation, moment,
       CASE WHEN generation < TOKENS THEN moment + interval '1 hour' END,
       CASE WHEN generation = TOKENS - 1 THEN pg_temp.sealed(n, 860) END
FROM generate_series($1::bigint, $2::bigint) AS n, generate_series(1, TOKENS) AS generation,
     LATERAL (SELECT pg_temp.moment_of(n, COUNT, 60) AS moment) AS at
"""
_AUDIT = """
FROM generate_series($1::bigint, $2::bigint) AS n,
     LATERAL (SELECT pg_temp.moment_of(n, COUNT, 730) AS moment, sha256(int8send(n)) AS salt,
                     '10.' || n % 256 || '.' || n / 256 % 256 || '.' || n / 65536 % 256 AS address) AS made
"""
_AUDIT_ENTRIES = f"""
INSERT INTO audit_entries (sequence, id, event, outcome, source, actor_id, user_id, occurred_at, request_id, details,
                           commitments)
OVERRIDING SYSTEM VALUE
SELECT SEQUENCE + n, pg_temp.made_id('entry', SEQUENCE + n, moment),
       (ARRAY['session.started', 'session.started', 'session.started', 'session.started', 'session.started',
              'session.ended', 'session.ended', 'session.ended', 'sign_in.refused', 'factor.used', 'session.new_device',
              'user.password_changed', 'user.email_verified', 'user.registered', 'session.started', 'session.ended',
              'email_verification.requested', 'password_reset.requested', 'user.profile_updated', 'audit.read'])
              [1 + n % 20],
       CASE WHEN n % 20 = 8 THEN 'refused' ELSE 'success' END, 'http',
       CASE WHEN n % 20 = 19 THEN pg_temp.user_id(7) WHEN n % 20 <> 8 THEN pg_temp.any_user(n) END,
       CASE WHEN n % 20 <> 19 THEN pg_temp.any_user(n) END, moment, pg_temp.made_id('request', n, moment),
       jsonb_build_object('network_address', NULL, 'session_id', pg_temp.made_id('session', n, moment)),
       jsonb_build_object('network_address', encode(sha256(salt || convert_to('"' || address || '"', 'UTF8')), 'hex'))
{_AUDIT}
"""
_AUDIT_PROOFS = f"""
INSERT INTO audit_proofs (sequence, personal, position, chain_hash)
SELECT SEQUENCE + n,
       CASE WHEN moment > timestamptz 'UNTIL' - interval '365 days'
            THEN jsonb_build_object('network_address',
                                    jsonb_build_object('salt', encode(salt, 'hex'), 'value', address)) END,
       POSITION + n, sha256(int8send(n))
{_AUDIT}
"""
_SIGN_IN_ATTEMPTS = """
INSERT INTO sign_in_attempts (reference, occurred_at, user_id, request_id, network_address, steps)
SELECT substr(text, 1, 4) || '-' || substr(text, 5, 4) || '-' || substr(text, 9, 4), moment,
       CASE WHEN n % 3 > 0 THEN pg_temp.any_user(n) END, pg_temp.made_id('request', n, moment),
       '203.0.' || n % 256 || '.' || n / 256 % 256,
       '[["network_limit", "left"], ["address", "known"], ["device", "none"], ["guesses", "left"],
         ["password", "wrong"], ["verdict", "refused"]]'
FROM generate_series($1::bigint, $2::bigint) AS n,
     LATERAL (SELECT pg_temp.moment_of(n, COUNT, 30) AS moment, upper(left(md5('attempt' || n), 12)) AS text) AS made
"""
_MESSAGES = """
INSERT INTO messages (id, version, event_id, kind, user_id, recipient, recipient_canonical, locale, sealed_content,
                      good_until, state, attempts, created_at, updated_at)
SELECT pg_temp.made_id('message', n, moment), 3, pg_temp.made_id('event', n, moment),
       (ARRAY['verify_email', 'new_device', 'reset_password', 'password_changed'])[1 + n % 4], pg_temp.any_user(n),
       address, address, 'en', CASE WHEN n % 1000 = 1 THEN pg_temp.sealed(n, 300) END, moment + interval '1 day',
       CASE WHEN n % 1000 = 1 THEN 'queued' WHEN n % 1000 = 2 THEN 'dead' ELSE 'sent' END, 1, moment, moment
FROM generate_series($1::bigint, $2::bigint) AS n,
     LATERAL (SELECT pg_temp.moment_of(n, COUNT, 30) AS moment, 'somebody' || n || '@example.com' AS address) AS made
"""
_ONE_TIME_TOKENS = """
INSERT INTO one_time_tokens (id, user_id, purpose, digest, security_epoch, address, issued_at, expires_at, spent_at)
SELECT pg_temp.made_id('token', n, moment), pg_temp.user_id(n * 20), 'verify_email', sha256(int8send(n)), 0,
       'somebody' || n || '@example.com', moment, moment + interval '1 day', CASE WHEN n % 2 = 0 THEN moment END
FROM generate_series($1::bigint, $2::bigint) AS n, LATERAL (SELECT pg_temp.moment_of(n, COUNT, 2) AS moment) AS made
"""
_EMAIL_CHANGES = """
INSERT INTO email_changes (id, user_id, security_epoch, old_email, old_email_canonical, old_is_verified, new_email,
                           new_email_canonical, requested_at)
SELECT pg_temp.made_id('change', n, moment), pg_temp.user_id(n * 100), 0, 'old' || n || '@example.com',
       'old' || n || '@example.com', true, 'new' || n || '@example.com', 'new' || n || '@example.com', moment
FROM generate_series($1::bigint, $2::bigint) AS n, LATERAL (SELECT pg_temp.moment_of(n, COUNT, 30) AS moment) AS made
"""
_SIGN_IN_CHALLENGES = """
INSERT INTO sign_in_challenges (id, user_id, security_epoch, methods, created_at, expires_at)
SELECT pg_temp.made_id('challenge', n, moment), pg_temp.user_id(n * 50), 0, '{pwd}', moment,
       moment + interval '10 minutes'
FROM generate_series($1::bigint, $2::bigint) AS n, LATERAL (SELECT pg_temp.moment_of(n, COUNT, 1) AS moment) AS made
"""
_PASSKEY_CEREMONIES = """
INSERT INTO passkey_ceremonies (id, purpose, challenge, expires_at, bound_to)
SELECT pg_temp.made_id('ceremony', n, moment), 'sign_in', sha256(int8send(n)), moment + interval '5 minutes', NULL
FROM generate_series($1::bigint, $2::bigint) AS n, LATERAL (SELECT pg_temp.moment_of(n, COUNT, 1) AS moment) AS made
"""
_IDEMPOTENT_REQUESTS = """
INSERT INTO idempotent_requests (digest, claim_id, claimed_at, expires_at, sealed_request, acted_at, user_id,
                                 sealed_answer)
SELECT sha256(int8send(n)), pg_temp.made_id('claim', n, moment), moment, moment + interval '1 day',
       pg_temp.sealed(n, 100), moment, pg_temp.any_user(n), pg_temp.sealed(n, 600)
FROM generate_series($1::bigint, $2::bigint) AS n, LATERAL (SELECT pg_temp.moment_of(n, COUNT, 1) AS moment) AS made
"""
_THROTTLES = """
INSERT INTO throttles (owner, name, full_at)
SELECT '203.0.' || n / 256 || '.' || n % 256, 'credentials',
       timestamptz 'UNTIL' + (n * 7919 % 120 - 60) * interval '1 minute'
FROM generate_series($1::bigint, $2::bigint) AS n
"""
_JOBS = """
INSERT INTO jobs (priority, status, entrypoint, dedupe_key, payload, created, updated, heartbeat, execute_after)
SELECT 0, 'queued', 'message', 'message:filled' || n, uuid_send(pg_temp.made_id('message', n, moment)), moment, moment,
       moment, moment
FROM generate_series($1::bigint, $2::bigint) AS n, LATERAL (SELECT pg_temp.moment_of(n, COUNT, 1) AS moment) AS made
"""
_JOB_LOG = """
INSERT INTO job_log (created, job_id, status, priority, entrypoint, aggregated)
SELECT pg_temp.moment_of(n, COUNT, 14), n / 3,
       (ARRAY['queued', 'picked', 'successful'])[1 + n % 3]::job_status, 0, 'message', true
FROM generate_series($1::bigint, $2::bigint) AS n
"""


def tables(plan: Plan) -> list[Made]:
    """Everything, in an order in which what is referred to comes first."""
    users = plan.users
    counted = {
        "users": (users, _USERS),
        "totp_factors": (users // 25, _TOTP_FACTORS),
        "passkeys": (users // 100, _PASSKEYS),
        "recovery_codes": (users // 25 * 10, _RECOVERY_CODES),
        "sessions": (plan.sessions, _SESSIONS),
        "refresh_tokens": (plan.sessions, _REFRESH_TOKENS),
        "audit_entries": (plan.entries, _AUDIT_ENTRIES),
        "audit_proofs": (plan.entries, _AUDIT_PROOFS),
        "sign_in_attempts": (users // 2, _SIGN_IN_ATTEMPTS),
        "messages": (users // 2, _MESSAGES),
        "one_time_tokens": (users // 20, _ONE_TIME_TOKENS),
        "email_changes": (users // 100, _EMAIL_CHANGES),
        "sign_in_challenges": (users // 50, _SIGN_IN_CHALLENGES),
        "passkey_ceremonies": (users // 50, _PASSKEY_CEREMONIES),
        "idempotent_requests": (users // 20, _IDEMPOTENT_REQUESTS),
        "throttles": (users // 10, _THROTTLES),
        "jobs": (users // 100, _JOBS),
        "job_log": (users, _JOB_LOG),
    }
    return [
        Made(table=table, count=count, statement=_with(plan, count, statement))
        for table, (count, statement) in counted.items()
        if count
    ]


def _with(plan: Plan, count: int, statement: str) -> str:
    known = {
        "UNTIL": plan.until.isoformat(),
        "USERS": plan.users,
        "TOKENS": plan.tokens_per_session,
        "SEQUENCE": plan.last_sequence,
        "POSITION": plan.last_position,
        "COUNT": count,
    }
    for name, value in known.items():
        statement = statement.replace(name, str(value))
    return statement

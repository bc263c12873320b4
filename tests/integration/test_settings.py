"""Settings: defaults that work, and a production that takes none of them (SK-01)."""

import base64
import random
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from application.throttling.throttle_policy import ThrottlePolicy
from entrypoints.passkey_settings import effective_origins, effective_rp_id
from entrypoints.policies import throttle_policy
from entrypoints.settings import (
    LogFormat,
    Settings,
    load_settings,
    load_settings_or_exit,
)
from entrypoints.settings_problem import SettingsProblem
from entrypoints.shown_settings import shown_settings

ANDROID = "android:apk-key-hash:pNiP5iKyQ8JwgGOaKA1zGPUPJIS-0H1xKCQcfIoGLck"
GOOD_KEY = "T9vK2mQ7xW4cR8bN1zL5yP3dF6gH0jSa"
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": GOOD_KEY,
    "DATABASE_URL": "postgresql://hall:porter@db.internal/hallporter",
    "PUBLIC_URL": "https://accounts.mycompany.com",
    "SMTP_URL": "smtp://hall:porter%40@mail.internal",
}


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def problems(monkeypatch: pytest.MonkeyPatch, **environment: str) -> list[str]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsProblem) as refusal:
        load_settings()
    assert "canary" not in str(refusal.value)
    return [problem.partition(" ")[0].rstrip(":") for problem in refusal.value.problems]


def test_in_development_nothing_has_to_be_set() -> None:
    settings = load_settings()
    assert settings.database_url is None
    assert settings.effective_log_format is LogFormat.TEXT
    assert not settings.is_production


def test_a_good_production_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.effective_log_format is LogFormat.JSON
    assert settings.root_key() == GOOD_KEY.encode()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value().startswith("postgresql+asyncpg://hall:porter@")
    assert "porter@" not in repr(settings)
    assert GOOD_KEY not in repr(settings)


def test_sk_01_all_problems_are_listed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = problems(monkeypatch, ENVIRONMENT="production", PASSWORD_MIN_LENGTH="7", LOG_LEVEL="canary")
    assert sorted(found) == [
        "DATABASE_URL",
        "LOG_LEVEL",
        "PASSWORD_MIN_LENGTH",
        "PUBLIC_URL",
        "SECRET_KEY",
        "SMTP_URL",
    ]


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "PUBLIC_URL", "SMTP_URL"])
def test_sk_01_production_has_no_default_for_what_matters(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert problems(monkeypatch, **{key: value for key, value in PRODUCTION.items() if key != name}) == [name]


@pytest.mark.parametrize(
    "key",
    [
        "short",
        "x" * 64,
        "changeme-changeme-changeme-changeme",
        "replace-me-with-a-long-random-string",
        "insecure-dev-key-0123456789-abcdefgh",
        "0123456789abcdef0123456789abcdef",
        "<output of openssl rand -base64 48>",
        "$(openssl rand -base64 48)-----------",
        "T9vK2mQ7xW4cR8bN1zL5yP3d        ",
        "T9vK2mQ7T9vK2mQ7T9vK2mQ7T9vK2mQ7",
    ],
)
@pytest.mark.parametrize("environment", ["development", "production"])
def test_sk_01_a_key_that_is_no_chance_is_refused(monkeypatch: pytest.MonkeyPatch, key: str, environment: str) -> None:
    found = problems(monkeypatch, **(PRODUCTION | {"ENVIRONMENT": environment, "SECRET_KEY": key}))
    assert found == ["SECRET_KEY"]


def test_keys_by_chance_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(7)  # noqa: S311  (the same keys each time)
    for _ in range(500):
        monkeypatch.setenv("SECRET_KEY", base64.b64encode(chance.randbytes(48)).decode())
        load_settings()


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgresql://u:canary@a,b/d?target_session_attrs=standby"),
        ("DATABASE_POOLER_URL", "postgresql://u:canary@a"),
        ("DATABASE_REPLICA_URL", "postgresql://u:canary@a,b/d"),
        ("DATABASE_REPLICA_URL", "postgresql://u:canary@a/d?target_session_attrs=read-write"),
        ("REPLICA_MAX_LAG_SECONDS", "0"),
    ],
)
def test_each_way_to_the_database_is_one_that_fits(monkeypatch: pytest.MonkeyPatch, name: str, url: str) -> None:
    assert problems(monkeypatch, **{name: url}) == [name]


def test_what_is_shown_of_several_servers_is_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:canary@a:5433,[::1]/d")
    shown = {each.name: each.value for each in shown_settings(load_settings())}
    assert shown["DATABASE_URL"] == "postgresql+asyncpg://***@a:5433,[::1]:5432/d"


@pytest.mark.parametrize(
    "url",
    [
        "canary",
        "ftp://accounts.mycompany.com",
        "https://",
        "https://:canary@a.com",
        "https://a b.com",
        "https://a.com\n",
        "https://a.com:x",
        "https://a.com/<script>",
        "https://*",
        "https://a.com?",
        "https://a.com/#x",
    ],
)
def test_a_public_url_is_an_address_and_nothing_else(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert problems(monkeypatch, PUBLIC_URL=url) == ["PUBLIC_URL"]


@pytest.mark.parametrize(
    "url",
    [
        "canary",
        "localhost:6379",
        "https://:canary@cache.internal",
        "redis://",
        "redis://:canary@",
        "redis://canary@cache.internal",
        "redis://:canary",
        "redis://:can#ary@cache.internal",
        "redis://:can/ary@cache.internal",
        "redis://:can@ary@cache.internal",
        "redis://:canary@cache.internal:x",
        "redis://:canary@cache.internal:0",
        "redis://:canary@cache.internal:65536",
        "redis://:canary@[::canary]:1",
        "redis://:canary@[:::]",
        "redis://:canary@cache.internal/canary",
        "redis://:canary@cache.internal?ssl_cert_reqs=none",
        "redis://:canary@cache.internal\n",
        "redis://a.internal,b.internal",
        "unix://",
        "unix://canary.sock",
        "unix:///run/redis.sock?socket_timeout=60",
    ],
)
def test_a_redis_url_says_where_and_nothing_else(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert problems(monkeypatch, REDIS_URL=url) == ["REDIS_URL"]


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://cache_1:6379/0",
        "rediss://hall:p%40rter@cache.internal:6380/",
        "redis://:porter@[::1]:6379/12",
        "unix:///run/redis/redis.sock",
        "unix://hall:porter@/run/redis.sock?db=3",
    ],
)
def test_ordinary_redis_urls_are_taken_as_they_are(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    taken = load_settings().redis_url
    assert taken is not None
    assert taken.get_secret_value() == url
    assert url not in repr(load_settings())


@pytest.mark.parametrize("url", ["http://localhost:8000", "https://a.example.com/auth/", "http://[::1]:8000"])
def test_ordinary_public_urls_are_taken_without_the_last_slash(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PUBLIC_URL", url)
    assert load_settings().public_url == url.rstrip("/")


def test_production_is_reached_by_https(monkeypatch: pytest.MonkeyPatch) -> None:
    assert problems(monkeypatch, **(PRODUCTION | {"PUBLIC_URL": "http://accounts.mycompany.com"})) == ["PUBLIC_URL"]


def test_pw_06_hashing_cannot_be_set_below_the_minimum(monkeypatch: pytest.MonkeyPatch) -> None:
    assert problems(monkeypatch, PASSWORD_HASH_ITERATIONS="1") == ["PASSWORD_HASH_ITERATIONS"]
    monkeypatch.setenv("PASSWORD_HASH_MEMORY_KIB", "47104")
    assert load_settings().password_hash_iterations == 1


def test_st_04_no_access_token_outlives_the_idle_session_it_belongs_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCESS_TOKEN_LIFETIME_SECONDS", "900")
    assert problems(monkeypatch, SESSION_IDLE_LIFETIME_SECONDS="899") == ["SESSION_IDLE_LIFETIME_SECONDS"]
    monkeypatch.setenv("SESSION_IDLE_LIFETIME_SECONDS", "900")
    assert load_settings().session_idle_lifetime_seconds == 900


def test_a_setting_that_is_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HALLPORTER_HOME", "DATABASE_URL", "SECRET_KEY", "PUBLIC_URL"):
        monkeypatch.setenv(name, "")
    assert load_settings() == Settings(_env_file=None)


def test_a_file_that_is_no_text_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("NAME=\u00e9".encode("latin-1"))
    with pytest.raises(SettingsProblem, match=r"\.env cannot be read \(it is not UTF-8\)"):
        load_settings()


def test_a_file_of_settings_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PASSWORD_MIN_LENGTH=20\nSOMETHING_ELSE=1\n")
    assert load_settings().password_min_length == 20


def test_in_development_a_key_is_made_once_and_kept_from_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HALLPORTER_HOME", str(tmp_path / "home"))
    key = load_settings().root_key()
    assert len(key) >= 32
    assert load_settings().root_key() == key
    kept = tmp_path / "home" / "secret-key"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in kept.parent.iterdir()] == ["secret-key"]


@pytest.mark.parametrize("fault", ["open to others", "a link", "empty", "a folder"])
def test_a_kept_key_that_cannot_be_trusted_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: str
) -> None:
    monkeypatch.setenv("HALLPORTER_HOME", str(tmp_path))
    kept = tmp_path / "secret-key"
    if fault == "a folder":
        kept.mkdir()
    elif fault == "a link":
        (tmp_path / "other").write_text(GOOD_KEY)
        kept.symlink_to(tmp_path / "other")
    else:
        kept.write_text("" if fault == "empty" else GOOD_KEY)
        kept.chmod(0o600 if fault == "empty" else 0o644)
    with pytest.raises(SettingsProblem, match="secret-key"):
        load_settings().root_key()


def test_a_home_that_cannot_be_made_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HALLPORTER_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(SettingsProblem, match="HALLPORTER_HOME"):
        load_settings().root_key()


def test_programs_around_us_end_with_the_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[Any]
) -> None:
    monkeypatch.setenv("SECRET_KEY", "short")
    with pytest.raises(SystemExit) as end:
        load_settings_or_exit()
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("The settings are not usable:\n  - SECRET_KEY is shorter")


def test_hd_03_origins_are_named_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", "https://App.mycompany.com/, http://localhost:5173")
    assert load_settings().cors_origins == ("https://app.mycompany.com", "http://localhost:5173")


@pytest.mark.parametrize(
    "origins", ["*", "null", "app.mycompany.com", "https://*.mycompany.com", "https://a.b/path", ","]
)
def test_hd_03_nothing_but_origins_is_taken(monkeypatch: pytest.MonkeyPatch, origins: str) -> None:
    assert problems(monkeypatch, CORS_ORIGINS=origins) == ["CORS_ORIGINS"]


def test_hd_06_hosts_are_named_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "Accounts.internal, 10.0.0.7,[::1]")
    settings = load_settings()
    assert settings.allowed_hosts == ("accounts.internal", "10.0.0.7", "[::1]")
    assert {"accounts.internal", "localhost", "127.0.0.1"} <= set(settings.effective_allowed_hosts)


def test_hd_06_in_production_the_machines_own_names_are_not_among_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    assert load_settings().effective_allowed_hosts == ()


@pytest.mark.parametrize("hosts", ["*", "*.mycompany.com", "a.com:8000", "https://a.com", "a b", "::1", "a.com/x", ","])
def test_hd_06_nothing_but_hosts_is_taken(monkeypatch: pytest.MonkeyPatch, hosts: str) -> None:
    assert problems(monkeypatch, ALLOWED_HOSTS=hosts) == ["ALLOWED_HOSTS"]


def test_every_limit_that_is_set_is_the_one_that_holds() -> None:
    names = [field.name for field in fields(ThrottlePolicy)]
    settings = {f"limit_{name}": f"{number}/hour" for number, name in enumerate(names, start=2)}
    assert set(settings) == {name for name in Settings.model_fields if name.startswith("limit_")}
    policy = throttle_policy(Settings(_env_file=None, **settings))  # type: ignore[arg-type]
    assert {name: getattr(policy, name).count for name in names} == {
        name: number for number, name in enumerate(names, start=2)
    }


@pytest.mark.parametrize(
    ("environment", "rp_id", "origins"),
    [
        ({}, "localhost", ("http://localhost:8000",)),
        (
            {"PUBLIC_URL": "https://accounts.mycompany.com/base"},
            "accounts.mycompany.com",
            ("https://accounts.mycompany.com",),
        ),
        (
            {
                "PUBLIC_URL": "https://Accounts.mycompany.com:8443",
                "PASSKEY_RP_ID": "MyCompany.com",
                "CORS_ORIGINS": "https://app.mycompany.com,https://mycompany.com,https://notmycompany.com",
            },
            "mycompany.com",
            ("https://accounts.mycompany.com:8443", "https://app.mycompany.com", "https://mycompany.com"),
        ),
        (
            {"PASSKEY_RP_ID": "mycompany.com", "PASSKEY_ORIGINS": f"https://App.mycompany.com/, {ANDROID}"},
            "mycompany.com",
            ("https://app.mycompany.com", ANDROID),
        ),
    ],
)
def test_passkeys_belong_to_a_domain_and_are_used_on_its_pages(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], rp_id: str, origins: tuple[str, ...]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    where = {"public_url": settings.public_url}
    assert effective_rp_id(settings, **where) == rp_id
    assert effective_origins(settings, **where, cors_origins=settings.cors_origins) == origins


@pytest.mark.parametrize("domain", ["https://mycompany.com", "mycompany.com:443", "10.0.0.7", "com", "*"])
def test_what_is_no_domain_is_none_that_passkeys_could_belong_to(monkeypatch: pytest.MonkeyPatch, domain: str) -> None:
    assert problems(monkeypatch, PASSKEY_RP_ID=domain) == ["PASSKEY_RP_ID"]


@pytest.mark.parametrize("origins", ["*", "null", "app.mycompany.com", "android:apk-key-hash:x", "https://a.b/c"])
def test_what_is_no_origin_is_no_page_that_uses_passkeys(monkeypatch: pytest.MonkeyPatch, origins: str) -> None:
    assert problems(monkeypatch, PASSKEY_ORIGINS=origins) == ["PASSKEY_ORIGINS"]


def test_a_domain_of_which_there_is_no_page_is_said_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    found = problems(monkeypatch, PUBLIC_URL="https://accounts.mycompany.com", PASSKEY_RP_ID="other.com")
    assert found == ["PASSKEY_RP_ID"]


@pytest.mark.parametrize("listen", ["9464", "127.0.0.1", "localhost:9464", "127.0.0.1:0", "127.0.0.1:65536", "::1:x"])
def test_metrics_are_told_at_an_address_and_a_port(monkeypatch: pytest.MonkeyPatch, listen: str) -> None:
    assert problems(monkeypatch, METRICS_LISTEN=listen) == ["METRICS_LISTEN"]


@pytest.mark.parametrize("listen", ["0.0.0.0:9464", "10.0.0.7:9464", "[::]:9464"])
def test_ap_06_others_than_this_machine_have_to_show_a_token(monkeypatch: pytest.MonkeyPatch, listen: str) -> None:
    assert problems(monkeypatch, METRICS_LISTEN=listen) == ["METRICS_TOKEN"]
    assert problems(monkeypatch, METRICS_TOKEN="short canary") == ["METRICS_TOKEN"]
    monkeypatch.setenv("METRICS_TOKEN", "b3Jkd2luIGhhcmJvdXIgYXQgZGF3bg")
    assert "b3Jkd2lu" not in repr(load_settings())


@pytest.mark.parametrize("listen", ["127.0.0.1:9464", "[::1]:9464"])
def test_this_machine_needs_none(monkeypatch: pytest.MonkeyPatch, listen: str) -> None:
    monkeypatch.setenv("METRICS_LISTEN", listen)
    assert load_settings().metrics_listen == listen

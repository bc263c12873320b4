"""What people read in their mail, and what nobody can put into it (IN-05, IN-06)."""

import html
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from adapters.mail import templates
from adapters.mail.content import MAX_SUBJECT_LENGTH, SAMPLES, VARIABLES
from adapters.mail.email_parser import StrictEmailParser
from adapters.mail.templates import Rendered, Templates, TemplatesProblem
from application.ports.mailer import Mail
from domain.ids import MessageId
from domain.messages.message import MessageKind

SERVICE = "accounts.example.com"
SHIPPED = Path(templates.__file__).parent
LOCALES = ("de", "en")
NOTHING_TO_CLICK = ("http://", "https://", "www.", "evil.example", "href")

# Only read, by every test.
ours = Templates(service=SERVICE)


def mail(kind: MessageKind, locale: str | None = "en", **content: str) -> Mail:
    return Mail(
        id=MessageId(UUID(int=7)),
        kind=kind,
        recipient=StrictEmailParser().parse("ada@example.com"),
        locale=locale,
        content={name: SAMPLES[name] for name in VARIABLES[kind]} | content,
        written_at=datetime(2026, 11, 23, 8, 15, tzinfo=UTC),
    )


def visible(rendered: Rendered) -> str:
    """What the HTML part shows."""
    return html.unescape(rendered.html.partition("<body")[2])


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, "utf-8")
    return file


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", MessageKind)
def test_every_kind_says_all_it_has_to_in_every_language(kind: MessageKind, locale: str) -> None:
    rendered = ours.render(mail(kind, locale))
    for value in (SERVICE, *(SAMPLES[name] for name in VARIABLES[kind])):
        assert value in rendered.text
        assert value in visible(rendered)
    assert SERVICE in rendered.subject
    assert f"<title>{rendered.subject}</title>" in rendered.html
    assert f'<html lang="{locale}">' in rendered.html
    assert len(rendered.subject.splitlines()) == 1
    assert "{" not in rendered.subject + rendered.text
    assert "None" not in rendered.text + visible(rendered)


@pytest.mark.parametrize("kind", [kind for kind in MessageKind if "link" in VARIABLES[kind]])
def test_the_link_is_a_button_and_stands_below_it_as_well(kind: MessageKind) -> None:
    page = ours.render(mail(kind)).html
    assert page.count(html.escape(SAMPLES["link"])) == 2
    assert page.count(f'<a href="{html.escape(SAMPLES["link"])}"') == page.count("<a ") == 1


@pytest.mark.parametrize("kind", MessageKind)
def test_nothing_is_fetched_when_a_mail_is_opened(kind: MessageKind) -> None:
    page = ours.render(mail(kind)).html
    assert not any(sign in page for sign in ("src=", "url(", "<img", "<link", "<script", "@import"))


def test_the_languages_say_the_same() -> None:
    english, *others = (tomllib.loads((SHIPPED / "locales" / f"{tag}.toml").read_text("utf-8")) for tag in ("en", "de"))
    assert set(english) == {"frame", *MessageKind}
    for other in others:
        assert {table: (set(keys), len(keys.get("paragraphs", ()))) for table, keys in other.items()} == {
            table: (set(keys), len(keys.get("paragraphs", ()))) for table, keys in english.items()
        }


@pytest.mark.parametrize("locale", LOCALES)
def test_a_device_that_says_nothing_is_unknown(locale: str) -> None:
    text = ours.render(mail(MessageKind.NEW_DEVICE, locale, device="", network_address="")).text
    assert text.count({"en": "unknown", "de": "unbekannt"}[locale]) == 2


@pytest.mark.parametrize(
    ("wish", "spoken"),
    [
        ("en", "en"),
        ("de", "de"),
        ("DE", "de"),
        ("de-CH", "de"),
        ("de-Latn-AT", "de"),
        ("fr", "en"),
        ("den", "en"),
        ("", "en"),
        (None, "en"),
        ("../../etc/passwd", "en"),
    ],
)
def test_the_language_is_the_wished_one_or_its_primary_one_or_english(wish: str | None, spoken: str) -> None:
    assert f'lang="{spoken}"' in ours.render(mail(MessageKind.ALREADY_REGISTERED, wish)).html


def test_the_languages_are_known() -> None:
    assert list(ours.locales) == ["de", "en"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Firefox\r\nBcc: eve@example.com", "Firefox Bcc: eve@example[.]com"),
        ("one\u2028two\u2029three\x85four\x0bfive\0", "one two three four five"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ('"><a href=x>', '"><a href=x>'),
        ("{{ link }}{% raw %}", "{{ link }}{% raw %}"),
        ("http://evil.example", "http[:]//evil[.]example"),
        ("HTTPS://localhost/x", "HTTPS[:]//localhost/x"),
        ("WWW.evil", "WWW[.]evil"),
        ("www.evil.example", "www[.]evil[.]example"),
        ("evil.example/x", "evil[.]example/x"),
        ("evil。example", "evil[.]example"),
        ("пример.рф", "пример[.]рф"),
        ("☺.ws", "☺[.]ws"),
        ("go to 192.0.2.7", "go to 192[.]0[.]2[.]7"),
        ("\u202egnp.exe\u2066\u200b", "gnp[.]exe"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("Chrome 120.0 on Mac OS X 10.15", "Chrome 120.0 on Mac OS X 10.15"),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_hostile_value_is_one_line_of_harmless_text(value: str, shown: str) -> None:
    for name in ("device", "network_address", "at"):
        rendered = ours.render(mail(MessageKind.NEW_DEVICE, **{name: value}))
        harmless = ours.render(mail(MessageKind.NEW_DEVICE, **{name: "harmless"}))
        assert rendered.text == harmless.text.replace("harmless", shown)
        assert html.escape(shown) in rendered.html.replace("&#34;", "&quot;")
        assert not any(sign in rendered.text for sign in NOTHING_TO_CLICK if sign not in shown)
        rendered.html.encode()


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7"])
def test_a_network_address_stays_readable(address: str) -> None:
    assert address in ours.render(mail(MessageKind.NEW_DEVICE, network_address=address)).text


def test_a_subject_is_one_short_line_whatever_is_in_it(tmp_path: Path) -> None:
    write(tmp_path, "locales/en.toml", '[new_device]\nsubject = """{{ device }}\r\nX: {{ at }}{{ "x" * 300 }}"""')
    made = Templates(service="a\r\nb", folder=tmp_path)
    subject = made.render(mail(MessageKind.NEW_DEVICE, device="www.evil.example\nBcc: eve")).subject
    assert subject.startswith("www[.]evil[.]example Bcc: eve X: 2026-11-23 08:15 UTCxxx")
    assert len(subject) == MAX_SUBJECT_LENGTH
    assert "at a b" in made.render(mail(MessageKind.ALREADY_REGISTERED)).subject


def test_a_catalogue_is_plain_text(tmp_path: Path) -> None:
    write(tmp_path, "locales/en.toml", '[new_device]\nparagraphs = ["<b>Terms & more</b>: {{ device }}"]')
    rendered = Templates(service=SERVICE, folder=tmp_path).render(mail(MessageKind.NEW_DEVICE, device="<i>"))
    assert rendered.text.startswith("<b>Terms & more</b>: <i>\n")
    assert "&lt;b&gt;Terms &amp; more&lt;/b&gt;: &lt;i&gt;" in rendered.html


def test_a_missing_variable_is_a_bug() -> None:
    incomplete = Mail(
        id=MessageId(UUID(int=7)),
        kind=MessageKind.TOKEN_REUSE_DETECTED,
        recipient=StrictEmailParser().parse("ada@example.com"),
        locale=None,
        content={},
        written_at=datetime(2026, 11, 23, tzinfo=UTC),
    )
    with pytest.raises(KeyError):
        ours.render(incomplete)


def test_a_folder_replaces_single_keys_and_leaves_the_rest(tmp_path: Path) -> None:
    write(tmp_path, "locales/de.toml", '[verify_email]\nsubject = "Hallo von {{ service }}"')
    made = Templates(service=SERVICE, folder=tmp_path)
    theirs, shipped = (one.render(mail(MessageKind.VERIFY_EMAIL, "de")) for one in (made, ours))
    assert theirs.subject == f"Hallo von {SERVICE}"
    assert theirs.text == shipped.text
    assert made.render(mail(MessageKind.VERIFY_EMAIL)) == ours.render(mail(MessageKind.VERIFY_EMAIL))


def test_a_folder_adds_a_language_which_is_english_where_it_is_silent(tmp_path: Path) -> None:
    write(tmp_path, "locales/pt-BR.toml", '[password_changed]\nsubject = "Sua senha foi alterada"')
    made = Templates(service=SERVICE, folder=tmp_path)
    assert list(made.locales) == ["de", "en", "pt-br"]
    theirs = made.render(mail(MessageKind.PASSWORD_CHANGED, "pt-br"))
    assert theirs.subject == "Sua senha foi alterada"
    assert theirs.text == ours.render(mail(MessageKind.PASSWORD_CHANGED)).text
    assert made.render(mail(MessageKind.PASSWORD_CHANGED, "pt-PT")).subject != theirs.subject


def test_a_folder_replaces_a_layout(tmp_path: Path) -> None:
    write(tmp_path, "layouts/message.html", "<title>{{ subject }}</title><h1>{{ service }}</h1>")
    rendered = Templates(service="A & B", folder=tmp_path).render(mail(MessageKind.ALREADY_REGISTERED))
    assert rendered.html == "<title>You already have an account at A &amp; B</title><h1>A &amp; B</h1>"
    assert rendered.text.startswith("Someone has tried to register at A & B ")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("locales/en.toml", "[verify_email\n", r"en\.toml is no TOML in UTF-8 \(.*line 1.*\): correct it\.$"),
        ("locales/en.toml", "[hello]", r"en\.toml has 'hello', which is not a mail: remove it; .* verify_email\.$"),
        ("locales/en.toml", "frame = 1", r"en\.toml has 'frame', which is not a mail"),
        (
            "locales/en.toml",
            '[new_device]\nbody = "x"',
            r"\[new_device\] body is never shown: .* after, paragraphs, sub",
        ),
        ("locales/en.toml", '[new_device]\naction = "x"', r"\[new_device\] action is never shown"),
        ("locales/en.toml", "[new_device]\nsubject = 1", r"\[new_device\] subject must be a string: correct it\.$"),
        ("locales/en.toml", '[new_device]\nparagraphs = "x"', r"paragraphs must be a list of strings: correct it\.$"),
        ("locales/en.toml", "[new_device]\nparagraphs = [1]", r"paragraphs must be a list of strings"),
        ("locales/en.toml", '[new_device]\nsubject = "{{ at"', r"\[new_device\] subject fails \(line 1: .*\): correct"),
        ("locales/en.toml", '[new_device]\nsubject = "{{ at|shout }}"', r"subject fails \(line 1: No filter named"),
        ("locales/en.toml", '[new_device]\nsubject = "{{ 1 / 0 }}"', r"subject fails \(division by zero\)"),
        (
            "locales/fr.toml",
            '[new_device]\nafter = ["{{ link }}"]',
            r"fr\.toml, \[new_device\] after fails \('link' is undefined\): .* at, device, network_address, service\.$",
        ),
        ("locales/en.toml", '[new_device]\nafter = ["{{ device or x }}"]', r"after fails \('x' is undefined\)"),
        ("locales/de_CH.toml", "", r"de_CH\.toml is not named after a language: call it by a tag such as"),
        (
            "layouts/message.html",
            "{% if %}",
            r"message\.html is no Jinja template \(line 1: .*\): correct it, or remove",
        ),
        (
            "layouts/message.html",
            "{{ name }}",
            r"message\.html fails \('name' is undefined\): .* it may use action, after",
        ),
        ("layouts/message.txt", "{{ code.x }}", r"message\.txt fails \(.*\): correct it; it may use action, after"),
    ],
)
def test_a_broken_folder_is_found_at_once(tmp_path: Path, name: str, text: str, said: str) -> None:
    file = write(tmp_path, name, text)
    with pytest.raises(TemplatesProblem, match=said) as problem:
        Templates(service=SERVICE, folder=tmp_path)
    assert str(file) in str(problem.value)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("name", ["locales/en.toml", "layouts/message.txt"])
def test_a_file_in_another_encoding_is_found_at_once(tmp_path: Path, name: str) -> None:
    write(tmp_path, name, "").write_bytes(b"\xff\xfe")
    with pytest.raises(TemplatesProblem, match=f"{name} is no "):
        Templates(service=SERVICE, folder=tmp_path)


def test_a_missing_folder_is_found_at_once(tmp_path: Path) -> None:
    with pytest.raises(TemplatesProblem, match=r"absent is no folder: create it, or name the one that has the mail"):
        Templates(service=SERVICE, folder=tmp_path / "absent")

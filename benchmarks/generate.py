"""Make exports of a realistic size and variety for the benchmarks; the same seed gives the same bytes.

Options beside the usual: ``recipients`` and ``domains`` say how many there are at most, ``pool`` and ``new`` how many
texts, ``gap`` how many seconds pass from one event to the next; ``providers`` puts seven tenths of the ``domains`` to
large mailbox providers; ``varied`` adds texts of several lines and in many languages. :func:`wrapped` puts events into what carries them.

    python benchmarks/generate.py events.ndjson.gz --provider ses --count 500000
    python benchmarks/generate.py varied.ndjson --provider ses --count 500000 --varied --wrap sns
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import time
from base64 import urlsafe_b64encode
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

SEED = 20261124
POOL = 600  # texts that come again and again
START = 1_790_000_000  # epoch seconds of the first event

# (event, type, class, status, text); {a} address, {q} queue id, {h} host, {n} number. Half of the failures get a text
# whose blanks are filled anew each time, half one of a few hundred that come again and again.
TEMPLATES: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "bounce",
        "bounce",
        "Invalid Address",
        "5.1.1",
        "550 5.1.1 <{a}>: Recipient address rejected: User unknown in virtual mailbox table {q}",
    ),
    (
        "bounce",
        "bounce",
        "Invalid Address",
        "5.1.1",
        "550-5.1.1 The email account that you tried to reach does not exist. {q} - gsmtp",
    ),
    (
        "bounce",
        "bounce",
        "Invalid Address",
        "5.1.10",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {a} not found by SMTP address lookup",
    ),
    (
        "bounce",
        "bounce",
        "Invalid Address",
        "5.4.1",
        "550 5.4.1 Recipient address rejected: Access denied. [{h}.prod.protection.outlook.com {q}]",
    ),
    (
        "bounce",
        "bounce",
        "Invalid Address",
        "",
        "unable to get mx info: failed to get IPs from PTR record: lookup {h}: no such host",
    ),
    (
        "bounce",
        "blocked",
        "Mailbox Unavailable",
        "5.2.2",
        "552 5.2.2 <{a}>: mailbox is full, {n} of {n} bytes used ({q})",
    ),
    ("bounce", "bounce", "Technical", "5.3.1", "550 5.3.1 Mail system full, {h} cannot store message {q}"),
    (
        "bounce",
        "blocked",
        "Reputation",
        "5.7.1",
        "550 5.7.1 Unfortunately, messages from [192.0.2.41] weren't sent. Please contact your provider, part of their network is on our block list (S3150). [{h} {q}]",
    ),
    ("bounce", "blocked", "Content", "5.7.1", "554 5.7.1 Message {q} looks like spam and was refused by {h}"),
    ("bounce", "blocked", "Unclassified", "5.0.0", "550 Requested action not taken, ticket {q}"),
    ("deferred", "", "", "", "451 4.7.1 Greylisted, come back in {n} seconds ({q})"),
    (
        "deferred",
        "",
        "",
        "",
        "421 4.7.0 [TSS04] Messages from 192.0.2.41 temporarily deferred due to user complaints {q}",
    ),
    ("deferred", "", "", "", "452 4.2.2 The account {a} is over quota {q}"),
    ("deferred", "", "", "", "421 4.4.1 connection to {h} timed out after {n} seconds"),
)

# What SES and Mailgun say about each of the texts above: bounceType and bounceSubType, or delayType; severity and reason.
WORDS: tuple[tuple[str, str, str, str], ...] = (
    ("Permanent", "General", "permanent", "bounce"),
    ("Permanent", "NoEmail", "permanent", "bounce"),
    ("Permanent", "General", "permanent", "bounce"),
    ("Permanent", "General", "permanent", "generic"),
    ("Transient", "General", "permanent", "old"),
    ("Transient", "MailboxFull", "permanent", "bounce"),
    ("Transient", "General", "permanent", "bounce"),
    ("Transient", "General", "permanent", "espblock"),
    ("Transient", "ContentRejected", "permanent", "espblock"),
    ("Undetermined", "Undetermined", "permanent", "generic"),
    ("", "General", "temporary", "greylisted"),
    ("", "IPFailure", "temporary", "espblock"),
    ("", "MailboxFull", "temporary", "generic"),
    ("", "TransientCommunicationFailure", "temporary", "generic"),
)

# Texts of several lines and other languages, with the place above of what they say
VARIED: tuple[tuple[int, str], ...] = (
    (
        0,
        "550-5.1.1 <{a}>: Diese Adresse ist hier nicht vergeben.\r\n550 5.1.1 Bitte prüfen Sie die Schreibweise. ({q})",
    ),
    (0, "550 5.1.1 <{a}> : utilisateur inconnu, réf. {q}"),
    (0, "550 5.1.1 <{a}>: El usuario no existe en este servidor {h} ({q})"),
    (1, "550 5.1.1 Utente sconosciuto: la casella {a} non esiste [{q}]"),
    (1, "550 5.1.1 <{a}>: 宛先のメールアドレスは存在しません ({q})"),
    (1, "550 5.1.1 Пользователь {a} не найден на сервере {h}, код {q}"),
    (2, "550 5.1.10 RESOLVER.ADR.RecipientNotFound; 用户 {a} 不存在 ({q})"),
    (
        3,
        "550-5.4.1 Recipient address rejected: Access denied.\n550-5.4.1 For more information see https://aka.example/{q}\n550 5.4.1 [{h}]",
    ),
    (5, "552-5.2.2 <{a}>: A caixa de correio está cheia,\r\n552 5.2.2 {n} de {n} bytes ({q})"),
    (5, "552 5.2.2 Skrzynka odbiorcy {a} jest przepełniona ({q})"),
    (5, "552 5.2.2 <{a}>: 받는 사람의 메일함이 가득 찼습니다 ({q})"),
    (6, "550 5.3.1 Sistem postası dolu, {h} iletiyi saklayamıyor {q}"),  # noqa: RUF001 - Turkish
    (
        7,
        "550-5.7.1 [192.0.2.41] Our system has detected an unusual rate of\r\n550-5.7.1 unsolicited mail from your network.\r\n550 5.7.1 {q} - gsmtp",
    ),
    (8, "554 5.7.1 Bericht {q} lijkt op spam en is geweigerd door {h}"),
    (8, "554 5.7.1 الرسالة {q} مرفوضة لأنها بريد مزعج"),
    (10, "451-4.7.1 Greylisting aktiv, bitte später erneut versuchen.\r\n451 4.7.1 Noch {n} Sekunden ({q})"),
    (12, "452 4.2.2 La boîte de {a} est pleine, réessayez plus tard ({q})"),
    (13, "421 4.4.1 Anslutningen till {h} avbröts efter {n} sekunder"),
)

_BOUNCES = [place for place, row in enumerate(TEMPLATES) if row[0] == "bounce"]
_ALL = range(len(TEMPLATES))
_DELAYS = [place for place, row in enumerate(TEMPLATES) if row[0] == "deferred"]


def sendgrid_events(
    count: int,
    *,
    seed: int = SEED,
    failures: float = 0.35,
    pool: int = POOL,
    new: float = 0.5,
    recipients: int | None = None,
    domains: int | None = None,
    providers: bool = False,
    gap: float | None = None,
    varied: bool = False,
) -> Iterator[str]:
    """Yield SendGrid Event Webhook objects as lines; a share of ``failures`` has a diagnostic."""
    rng = random.Random(seed)
    names = _domains(domains, providers=providers)
    texts = _Texts(rng, names, _ALL, pool, new, varied=varied)
    one = _people(rng.randrange, names, recipients)
    when, wait = START, 3 if gap is None else 1 + round(2 * gap)
    for number in range(count):
        when += rng.randrange(wait)
        address = one()
        event: dict[str, Any] = {
            "email": address,
            "timestamp": when,
            "sg_event_id": f"{rng.getrandbits(120):030x}",
            "sg_message_id": f"{rng.getrandbits(88):022x}.recvd-5f7c9d84bb-q4zt9-1-{when:08X}-1F.{number % 50}",
            "smtp-id": f"<{number}@geopod-ismtpd-{number % 9}>",
            "ip": f"192.0.2.{rng.randrange(1, 255)}",
            "category": ["letters", f"week-{number % 52}"],
        }
        if rng.random() < failures:
            place, text = texts.one(address)
            kind, type_, class_, status, _ = TEMPLATES[place]
            event["event"] = kind
            if kind == "bounce":
                event |= {"reason": text, "type": type_, "bounce_classification": class_, "tls": 1}
                if status:
                    event["status"] = status
            else:
                event |= {"response": text, "attempt": str(rng.randrange(6))}
        else:
            event["event"] = rng.choices(("processed", "delivered", "open", "click"), (30, 50, 15, 5))[0]
            if event["event"] in {"open", "click"}:
                event["useragent"] = "Mozilla/5.0 (X11; Linux x86_64)"
        yield json.dumps(event, separators=(",", ":")) + "\n"


def ses_events(
    count: int,
    *,
    seed: int = SEED,
    start: float = START,
    pool: int = POOL,
    new: float = 0.5,
    recipients: int | None = None,
    domains: int | None = None,
    providers: bool = False,
    gap: float | None = None,
    varied: bool = False,
) -> Iterator[str]:
    """Yield Amazon SES event publishing records as lines; about 36 in 100 are bounces and delays."""
    rng = random.Random(seed)
    chance, bits, names = rng.random, rng.getrandbits, _domains(domains, providers=providers)
    bounced, delayed = (
        _Texts(rng, names, places, size, new, varied=varied, escaped=True)
        for places, size in ((_BOUNCES, pool * 3 // 4), (_DELAYS, pool - pool * 3 // 4))
    )
    one = _people(lambda number: int(chance() * number), names, recipients)
    when, wait = int(start * 1000), 260 if gap is None else 2000 * gap
    for number in range(count):
        when += int(chance() * wait)
        code = f"{bits(128):032x}"
        message = f"0102{when:012x}-{code[:8]}-{code[8:12]}-{code[12:16]}-{code[16:20]}-{code[20:]}-000000"
        address = one()
        beginning = (
            f'"mail":{{"timestamp":"{_iso(when)}","source":"The Orchard Weekly <news@mail.example.com>",'
            '"sourceArn":"arn:aws:ses:eu-west-1:111122223333:identity/mail.example.com",'
            f'"sendingAccountId":"111122223333","messageId":"{message}","destination":["{address}"'
        )
        date = _date(when // 1000)
        subject = f"Harvest notes, issue {number % 52}"
        headers = (
            '],"headersTruncated":false,'
            '"headers":[{"name":"From","value":"The Orchard Weekly <news@mail.example.com>"},'
            f'{{"name":"To","value":"{address}"}},{{"name":"Subject","value":"{subject}"}},'
            f'{{"name":"Message-ID","value":"<{code[:10]}.{when}@mail.example.com>"}},'
            f'{{"name":"X-Campaign","value":"orchard-{number % 52}"}}],'
            f'"commonHeaders":{{"from":["The Orchard Weekly <news@mail.example.com>"],"date":"{date}",'
            f'"to":["{address}"],"messageId":"{message}","subject":"{subject}"}}'
        )
        tags = (
            ',"tags":{"ses:source-tls-version":["TLSv1.3"],"ses:operation":["SendEmail"],'
            '"ses:configuration-set":["orchard-weekly"],"ses:source-ip":["198.51.100.23"],'
            '"ses:from-domain":["mail.example.com"],"ses:caller-identity":["orchard-mailer"],'
        )
        own = f'"campaign":["orchard-{number % 52}"],"segment":["{_SEGMENTS[number % 7]}"]}}}}'
        ip = f"192.0.2.{1 + number % 90}"
        draw = chance()
        later = _iso(when + 400 + int(chance() * 6000))
        if draw < 0.15:
            yield f'{{"eventType":"Send",{beginning}{headers}{tags}{own},"send":{{}}}}\n'
        elif draw < 0.56:
            yield (
                f'{{"eventType":"Delivery",{beginning}{headers}{tags}"ses:outgoing-ip":["{ip}"],'
                f'"ses:outgoing-tls-version":["TLSv1.3"],{own},"delivery":{{"timestamp":"{later}",'
                f'"processingTimeMillis":{400 + number % 5000},"recipients":["{address}"],'
                f'"smtpResponse":"250 2.0.0 OK  {when // 1000} {code[4:14]}-{code[:3]} - gsmtp",'
                f'"remoteMtaIp":"203.0.113.{number % 250}",'
                f'"reportingMTA":"b11-{number % 90}.smtp-out.eu-west-1.amazonses.com"}}}}\n'
            )
        elif draw < 0.82:
            place, text = bounced.one(address)
            type_, subtype, _, _ = WORDS[place]
            status = TEMPLATES[place][3]
            about = f'"action":"failed","status":"{status or "5.4.4"}","diagnosticCode":"smtp; {text}"'
            who, second = f'{{"emailAddress":"{address}",{about}}}', ""
            if (
                chance() < 0.1
            ):  # a message to two that both refuse; of some, SES tells no more than the address
                other = one()
                who += f',{{"emailAddress":"{other}"' + (f",{about}}}" if chance() < 0.7 else "}")
                second = f',"{other}"'
            yield (
                f'{{"eventType":"Bounce","bounce":{{"feedbackId":"0102{when + 2000:012x}-{code[8:16]}-{message[26:]}",'
                f'"bounceType":"{type_}","bounceSubType":"{subtype}","bouncedRecipients":[{who}],'
                f'"timestamp":"{later}","remoteMtaIp":"203.0.113.{number % 250}",'
                f'"reportingMTA":"dns; b118-{number % 90}.smtp-out.eu-west-1.amazonses.com"}},'
                f'{beginning}{second}{headers}{tags}"ses:outgoing-ip":["{ip}"],{own}}}\n'
            )
        elif draw < 0.92:
            place, text = delayed.one(address)
            yield (
                f'{{"eventType":"DeliveryDelay",{beginning}]{tags}"ses:outgoing-ip":["{ip}"],{own},'
                f'"deliveryDelay":{{"timestamp":"{later}","delayType":"{WORDS[place][1]}",'
                f'"expirationTime":"{_iso(when + 50_400_000)}","delayedRecipients":[{{"emailAddress":"{address}",'
                f'"status":"{text[4:9]}","diagnosticCode":"smtp; {text}"}}],'
                f'"reportingMTA":"b32-{number % 90}.smtp-out.eu-west-1.amazonses.com"}}}}\n'
            )
        elif draw < 0.93:
            later = _iso(when + int(chance() * 7_200_000))
            yield (
                f'{{"eventType":"Complaint","complaint":{{"feedbackId":"0102{when + 2000:012x}-{code[8:16]}-{message[26:]}",'
                f'"complaintSubType":null,"complainedRecipients":[{{"emailAddress":"{address}"}}],'
                f'"timestamp":"{later}","userAgent":"Example-FBL/2.3","complaintFeedbackType":"abuse",'
                f'"arrivalDate":"{later}"}},{beginning}{headers}{tags}{own}}}\n'
            )
        else:
            later = _iso(when + int(chance() * 7_200_000))
            reader = f'"ipAddress":"198.51.100.{number % 250}"'
            agent = '"userAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:11.0) ImageProxy"'
            if draw < 0.98:
                word, body = "Open", f'"open":{{{reader},"timestamp":"{later}",{agent}}}'
            else:
                link = f'"link":"https://www.example.com/harvest?u={number}&ref=mail","linkTags":{{"position":["hero"]}}'
                word, body = "Click", f'"click":{{{reader},{link},"timestamp":"{later}",{agent}}}'
            yield f'{{"eventType":"{word}",{body},{beginning}{headers}{tags}{own}}}\n'


def mailgun_events(
    count: int,
    *,
    seed: int = SEED,
    start: float = START,
    pool: int = POOL,
    new: float = 0.5,
    recipients: int | None = None,
    domains: int | None = None,
    providers: bool = False,
    gap: float | None = None,
    varied: bool = False,
) -> Iterator[str]:
    """Yield objects of Mailgun's Events API as lines; about 35 in 100 are failed."""
    rng = random.Random(seed)
    chance, bits = rng.random, rng.getrandbits
    names = _domains(domains, providers=providers)
    texts = _Texts(rng, names, _ALL, pool, new, varied=varied, escaped=True)
    one = _people(lambda number: int(chance() * number), names, recipients, domain_first=True)
    when, wait = int(start * 1000), 260 if gap is None else 2000 * gap
    for number in range(count):
        when += int(chance() * wait)
        code = f"{bits(128):032x}"
        identifier = urlsafe_b64encode(bits(132).to_bytes(17)).decode()[:22]
        address = one()
        domain = address.partition("@")[2]
        campaign = number % 52
        common = (
            f'"id":"{identifier}","timestamp":{when // 1000}.{when % 1000:03}{number % 1000:03}1,'
            f'"recipient":"{address}","recipient-domain":"{domain}","tags":["digest","week-{campaign}"],"campaigns":[],'
            f'"user-variables":{{"list":"{_SEGMENTS[number % 7]}","issue":"{campaign}"}},'
            '"account":{"id":"7a51c0de90b3442f8e1c55aa"},"domain":{"name":"mg.example.com"},'
        )
        header = f'"message-id":"{_compact(when // 1000)}.{code[:16]}@mg.example.com"'
        message = (
            f'"message":{{"headers":{{{header},"from":"Allotment Club <notes@mg.example.com>","to":"{address}",'
            f'"subject":"Notes from the allotment, week {campaign}"}},"attachments":[],"size":{9000 + number % 20_000}'
        )
        envelope = f'"envelope":{{"sender":"notes@mg.example.com","targets":"{address}","transport":"smtp"'
        key = f"BAAB{code}"
        storage = (
            f'"storage":{{"key":"{key}",'
            f'"url":"https://storage-us-east4.api.mailgun.net/v3/domains/mg.example.com/messages/{key}",'
            '"region":"us-east4","env":"production"}'
        )
        sent = (
            f'{message}}},{envelope},"sending-ip":"203.0.113.{number % 90}"}},{storage},'
            f'"recipient-provider":"{_PROVIDERS[number % 5]}","primary-dkim":"pdk1._domainkey.mg.example.com",'
        )
        host = f'"mx-host":"mx{number % 90}.example.net","certificate-verified":true,"tls":true,"utf8":true'
        draw = chance()
        if draw < 0.15:
            yield (
                f'{{"event":"accepted",{common}"log-level":"info","method":"http",'
                f'"flags":{{"is-authenticated":true,"is-test-mode":false}},'
                f'{message},"recipients":["{address}"]}},{envelope}}},{storage},'
                '"originating-ip":"198.51.100.7","api-key-id":"5f0c1d2e-77aa10b4"}\n'
            )
        elif draw < 0.55:
            yield (
                f'{{"event":"delivered",{common}"log-level":"info",{_FLAGS}{sent}'
                f'"delivery-status":{{"attempt-no":1,"code":250,"message":"2.0.0 queued as {code[:12]}",'
                f'"description":"","session-seconds":0.{100 + number % 900},"enhanced-code":"2.0.0",{host},'
                '"first-delivery-attempt-seconds":0.051}}\n'
            )
        elif draw < 0.9:
            place, text = texts.one(address)
            _, _, severity, reason = WORDS[place]
            if text[:3].isdecimal():
                status = TEMPLATES[place][3] or text[4:9]
                answer = f'"code":{text[:3]},"message":"{text[4:]}","description":"","enhanced-code":"{status}",{host}'
            else:  # no server spoke, and the words are Mailgun's own
                answer = f'"code":602,"message":"Too old","description":"","last-code":498,"last-message":"No MX for {domain}"'
            if severity == "temporary":
                level, more = (
                    "warn",
                    f'"retry-seconds":{600 * (1 + number % 4)},"attempt-no":{1 + number % 5}',
                )
            else:
                kind = "hard" if TEMPLATES[place][1] == "bounce" else "soft"
                level, more = "error", f'"bounce-type":"{kind}","attempt-no":1'
            yield (
                f'{{"event":"failed",{common}"log-level":"{level}","severity":"{severity}","reason":"{reason}",'
                f'{_FLAGS}{sent}"delivery-status":{{{answer},"session-seconds":0.{100 + number % 900},{more}}}}}\n'
            )
        else:
            word, url = "opened", ""
            if draw >= 0.97:
                word, url = "clicked", f'"url":"https://www.example.com/plots?u={number}",'
            yield (
                f'{{"event":"{word}",{common}"log-level":"info",{url}"message":{{"headers":{{{header}}}}},'
                f'"recipient-provider":"{_PROVIDERS[number % 5]}","ip":"198.51.100.{number % 250}",{_READER}}}\n'
            )


MAKERS = {"sendgrid": sendgrid_events, "ses": ses_events, "mailgun": mailgun_events}

_SEGMENTS = ("growers", "readers", "members", "shops", "press", "friends", "trial")
_PROVIDERS = ("Gmail", "Other", "Yahoo", "Outlook 365", "Google Workspace")
_FLAGS = (
    '"flags":{"is-authenticated":true,"is-routed":false,"is-big":false,"is-system-test":false,'
    '"is-test-mode":false},'
)
_READER = (
    '"client-info":{"client-type":"mobile browser","client-os":"Android","device-type":"mobile",'
    '"client-name":"Chrome Mobile","user-agent":"Mozilla/5.0 (Linux; Android 15; Mobile) Chrome/140.0","bot":""},'
    '"geolocation":{"country":"SE","region":"AB","city":"Stockholm","timezone":"Europe/Stockholm"}'
)


class _Texts:
    """Diagnostic texts, with the place of their template: a share is new, the others are out of a pool."""

    def __init__(
        self,
        rng: random.Random,
        names: list[str],
        places: range | list[int],
        pool: int,
        new: float,
        *,
        varied: bool = False,
        escaped: bool = False,
    ) -> None:
        self._rng = rng
        self._new = new
        self._templates = [(place, TEMPLATES[place][4]) for place in places]
        if varied:
            self._templates += [row for row in VARIED if row[0] in places]
        if escaped:  # for those who put it between the quotes of JSON
            self._templates = [
                (place, json.dumps(text, ensure_ascii=False)[1:-1]) for place, text in self._templates
            ]
        drawn = rng.choices(self._templates, k=pool)
        self._pool = [
            (place, _fill(template, rng, f"reader{number}@{rng.choice(names)}"))
            for number, (place, template) in enumerate(drawn)
        ]

    def one(self, address: str) -> tuple[int, str]:
        chance = self._rng.random
        if chance() >= self._new:
            return self._pool[int(chance() * len(self._pool))]
        place, template = self._templates[int(chance() * len(self._templates))]
        return place, _fill(template, self._rng, address)


#: Domains of mailbox providers, with the tenths of addresses that are there.
_LARGE = {"gmail.com": 4, "outlook.com": 2, "yahoo.com": 1}


def _domains(number: int | None = None, *, providers: bool = False) -> list[str]:
    """Return domains, as often as addresses are there; three tenths in small ones where there are providers."""
    if number is not None:
        small = [f"d{place}.example" for place in range(number)]
        large = [name for name, tenths in _LARGE.items() for _ in range(max(1, number * tenths // 3))]
        return small + large if providers else small
    return [f"d{number}.example" for number in range(3000)] + [
        "example.com",
        "example.net",
        "example.org",
    ] * 300


def _people(
    draw: Callable[[int], int], names: list[str], recipients: int | None, *, domain_first: bool = False
) -> Callable[[], str]:
    """Return what draws an address: any reader of any domain, or one of so many, each of whom has a domain."""

    def anyone() -> str:
        if domain_first:
            name = names[draw(len(names))]
            return f"reader{draw(400_000)}@{name}"
        return f"reader{draw(400_000)}@{names[draw(len(names))]}"

    def known() -> str:
        number = draw(recipients or 1)
        return f"reader{number}@{names[number % len(names)]}"

    return anyone if recipients is None else known


def _fill(template: str, rng: random.Random, address: str) -> str:
    """Fill the blanks of a template; what is put there holds no sign that JSON would escape."""
    return template.format(
        a=address,
        q=f"{rng.getrandbits(64):016x}",
        h=f"mx{rng.randrange(90)}.example.net",
        n=rng.randrange(300, 90_000),
    )


def _iso(milliseconds: int) -> str:
    return f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03}Z"


@lru_cache(maxsize=1 << 17)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


@lru_cache(maxsize=64)
def _date(seconds: int) -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(seconds))


@lru_cache(maxsize=64)
def _compact(seconds: int) -> str:
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(seconds))


def failures(provider: str, count: int, **options: Any) -> Iterator[str]:
    """Yield the first so many events that are bounces or delays."""
    words = ('"event":"bounce"', '"event":"deferred"', '"Bounce"', '"DeliveryDelay"', '"event":"failed"')
    events = MAKERS[provider](5 * count, **options)
    return islice((line for line in events if any(word in line for word in words)), count)


def unique_texts(count: int) -> Iterator[str]:
    """Yield diagnostics, each of them once."""
    rng = random.Random(SEED)
    texts, seen = _Texts(rng, _domains(), _ALL, 0, 1.0), set[str]()
    while len(seen) < count:
        _, text = texts.one(f"reader{len(seen)}@example.com")
        if text not in seen:
            seen.add(text)
            yield text


#: What carries an event of an ESP to where it is kept
WRAPS = ("sns", "eventbridge", "webhook")


def wrapped(events: Iterable[str], wrap: str, seed: int = SEED) -> Iterator[str]:
    """Yield each event in what carries it: a text in an SNS message, the detail of EventBridge, or Mailgun's webhook."""
    rng = random.Random(seed)
    for number, line in enumerate(events):
        event = line.rstrip("\n")
        code = f"{rng.getrandbits(128):032x}"
        uuid = f"{code[:8]}-{code[8:12]}-{code[12:16]}-{code[16:20]}-{code[20:]}"
        when = _iso((START + number // 8) * 1000)
        if wrap == "sns":
            yield (
                f'{{"Type":"Notification","MessageId":"{uuid}",'
                '"TopicArn":"arn:aws:sns:eu-west-1:111122223333:orchard-events",'
                f'"Subject":"Amazon SES Email Event Notification","Message":{json.dumps(event, ensure_ascii=False)},'
                f'"Timestamp":"{when}","SignatureVersion":"1","Signature":"{code * 8}=="}}\n'
            )
        elif wrap == "eventbridge":
            word = event[event.index(":") + 2 :].partition('"')[0]
            yield (
                f'{{"version":"0","id":"{uuid}","detail-type":"Email {word}","source":"aws.ses","account":"111122223333",'
                f'"time":"{when[:19]}Z","region":"eu-west-1",'
                f'"resources":["arn:aws:ses:eu-west-1:111122223333:configuration-set/orchard-weekly"],"detail":{event}}}\n'
            )
        else:
            yield (
                f'{{"signature":{{"token":"{code}","timestamp":"{START + number // 8}","signature":"{code * 2}"}},'
                f'"event-data":{event}}}\n'
            )


def write(
    path: Path, count: int, provider: str = "sendgrid", *, wrap: str | None = None, **options: Any
) -> None:
    """Write ``count`` events as lines, whole or not at all; gzipped if the path ends in ``.gz``.

    Parameters
    ----------
    path : Path
    count : int
    provider : {'sendgrid', 'ses', 'mailgun'}
    wrap : {'sns', 'eventbridge', 'webhook'}, optional
        What carries each event.
    **options
        ``seed``, ``pool``, ``new``, ``recipients``, ``domains``, ``providers``, ``gap``, ``varied``, and for SES and Mailgun ``start`` (epoch
        seconds of the first event).
    """
    events = MAKERS[provider](count, **options)
    write_lines(path, wrapped(events, wrap) if wrap else events)


def write_lines(path: Path, events: Iterator[str]) -> None:
    """Write lines, whole or not at all; gzipped if the path ends in ``.gz``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        if path.suffix == ".gz":  # without its name and the time of day, for the same bytes each time
            with gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=file, mtime=0) as packed:
                _copy(events, packed)
        else:
            _copy(events, file)
    part.replace(path)


def _copy(events: Iterator[str], out: IO[bytes] | gzip.GzipFile) -> None:
    while lines := "".join(islice(events, 2000)):
        out.write(lines.encode())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path)
    parser.add_argument("--provider", choices=MAKERS, default="sendgrid")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--recipients", type=int, help="so many at most")
    parser.add_argument("--domains", type=int, help="so many at most")
    parser.add_argument(
        "--varied", action="store_true", help="texts of several lines and in many languages, too"
    )
    parser.add_argument("--wrap", choices=WRAPS, help="what carries the events")
    given = vars(parser.parse_args())
    write(given.pop("path"), given.pop("count"), given.pop("provider"), **given)


if __name__ == "__main__":
    main()

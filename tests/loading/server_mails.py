"""Mails as mail servers, mailbox providers and people write them, each with what must become of it.

The wording is that of the programs; names, hosts and addresses are invented.
"""

# ruff: noqa: E501, RUF001 - lines and letters are those of the mails

from __future__ import annotations

import base64
import quopri
from dataclasses import dataclass, field
from typing import Any

DATE = "Tue, 3 Mar 2026 09:10:11 +0000"
ORIGINAL = (
    "From: News <news@example.com>\nTo: ann@example.org\nSubject: March\nMessage-ID: <march-1@example.com>\n"
)


@dataclass(frozen=True)
class Case:
    """A mail; its rows, or words of the reason why it is rejected."""

    name: str
    mail: bytes
    rows: list[dict[str, Any]] = field(default_factory=list)
    rejected: str = ""


def mail(
    body: str, *headers: str, sender: str = "Mail Delivery System <MAILER-DAEMON@mx.example.net>"
) -> str:
    """Return a mail with a text alone."""
    return "\n".join([f"From: {sender}", "To: news@example.com", f"Date: {DATE}", *headers, "", body])


def report(
    status: str,
    *,
    note: str = "This is the mail system. It came back.",
    headers: tuple[str, ...] = ("Subject: Undelivered Mail Returned to Sender",),
    kind: str = "message/delivery-status",
    original: str = ORIGINAL,
    original_kind: str = "text/rfc822-headers",
    report_type: str = "delivery-status",
    coding: str = "",
) -> str:
    """Return a mail with a delivery report, or another report."""
    if coding == "base64":
        status = base64.encodebytes(status.encode()).decode()
    elif coding:
        status = quopri.encodestring(status.encode()).decode()
    label = f"Content-Transfer-Encoding: {coding}\n" if coding else ""
    return mail(
        f"--=_cut\nContent-Type: text/plain; charset=utf-8\n\n{note}\n\n"
        f"--=_cut\nContent-Type: {kind}\n{label}\n{status}\n"
        + (f"--=_cut\nContent-Type: {original_kind}\n\n{original}\n" if original else "")
        + "--=_cut--\n",
        *headers,
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type={report_type};\n\tboundary="=_cut"',
    )


def row(recipient: str = "ann@example.org", event: str = "bounced", **facts: Any) -> dict[str, Any]:
    """Return what is asked of a row; a text that begins with … is part of the column."""
    return {"provider": "generic", "recipient": recipient, "event": event, **facts}


def _case(name: str, text: str, *rows: dict[str, Any], rejected: str = "") -> Case:
    return Case(name, text.encode(), list(rows), rejected)


POSTFIX = """Reporting-MTA: dns; mx.example.net
X-Postfix-Queue-ID: 4ABCDE1234
X-Postfix-Sender: rfc822; news@example.com
Arrival-Date: Tue,  3 Mar 2026 09:00:00 +0000 (UTC)

Final-Recipient: rfc822; ann@example.org
Original-Recipient: rfc822;ann@example.org
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx1.example.org
Diagnostic-Code: smtp; 550 5.1.1 <ann@example.org>: Recipient address
    rejected: User unknown in virtual mailbox table
"""

DELIVERY_REPORTS = (
    _case(
        "postfix",
        report(POSTFIX),
        row(
            reply_code=550,
            enhanced_code="5.1.1",
            remote_host="mx1.example.org",
            message_id="march-1@example.com",
            esp_event="failed",
            diagnostic="550 5.1.1 <ann@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
        ),
    ),
    _case(
        "postfix: delayed",
        report(
            POSTFIX.replace("failed", "delayed")
            .replace("5.1.1", "4.4.1")
            .replace(
                "550 4.4.1 <ann@example.org>: Recipient address", "connect to mx1.example.org[192.0.2.1]:25:"
            )
            .replace("rejected: User unknown in virtual mailbox table", "Connection timed out")
            + "Will-Retry-Until: Sun,  8 Mar 2026 09:00:00 +0000 (UTC)\n"
        ),
        row(event="deferred", reply_code=None, enhanced_code="4.4.1"),
    ),
    _case(
        "postfix: a local program that failed",
        report(
            POSTFIX.replace(
                "Diagnostic-Code: smtp; 550 5.1.1 <ann@example.org>: Recipient address",
                "Diagnostic-Code: x-unix; 255",
            )
            .replace("    rejected: User unknown in virtual mailbox table\n", "")
            .replace("5.1.1", "5.3.0")
        ),
        row(reply_code=None, enhanced_code="5.3.0"),
    ),
    _case(
        "several recipients, each with its own end",
        report(
            "Reporting-MTA: dns; mx.example.net\n\n"
            "Final-Recipient: rfc822; ann@example.org\nAction: failed\nStatus: 5.2.2\n"
            "Diagnostic-Code: smtp; 552 5.2.2 Mailbox full\n\n"
            "Final-Recipient: rfc822; bob@example.org\nAction: delayed\nStatus: 4.2.2\n"
            "Diagnostic-Code: smtp; 452 4.2.2 Over quota\n\n"
            "Final-Recipient: rfc822; eve@example.org\nAction: delivered\nStatus: 2.0.0\n\n"
            "Final-Recipient: rfc822; jim@example.org\nAction: relayed\nStatus: 2.0.0\n\n"
            "Final-Recipient: rfc822; list@example.org\nAction: expanded\nStatus: 2.0.0\n"
        ),
        row(reply_code=552, enhanced_code="5.2.2"),
        row("bob@example.org", "deferred", reply_code=452),
        row("eve@example.org", "delivered"),
        row("jim@example.org", "other"),
        row("list@example.org", "other"),
    ),
    _case(
        "exim",
        report(
            "Reporting-MTA: dns; relay.example.net\n\nAction: failed\nFinal-Recipient: rfc822;ann@example.org\n"
            "Status: 5.0.0\nRemote-MTA: dns; mx.example.org\n"
            "Diagnostic-Code: smtp; 550 5.1.1 <ann@example.org>: no such user\n",
            original_kind="message/rfc822",
            headers=(
                "Subject: Mail delivery failed: returning message to sender",
                "X-Failed-Recipients: ann@example.org",
            ),
        ),
        row(reply_code=550, enhanced_code="5.1.1", remote_host="mx.example.org"),
    ),
    _case(
        "exchange online",
        report(
            "Reporting-MTA: dns;PR0P000MB0001.prod.example.net\nReceived-From-MTA: dns;mail-1.example.com\n"
            "Arrival-Date: Tue, 3 Mar 2026 09:10:09 +0000\n\n"
            "Final-Recipient: rfc822;ann@example.org\nAction: failed\nStatus: 5.1.10\n"
            "Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup\n"
            "X-Display-Name: Ann\n",
            headers=(
                "Subject: Undeliverable: March",
                "Auto-Submitted: auto-replied",
                "X-Auto-Response-Suppress: DR, OOF, AutoReply",
            ),
        ),
        row(reply_code=550, enhanced_code="5.1.10"),
    ),
    _case(
        "exchange: a domain that does not answer",
        report(
            "Reporting-MTA: dns;mail.example.net\n\nFinal-Recipient: RFC822;ann@example.org\nAction: failed\n"
            "Status: 5.4.310\nDiagnostic-Code: smtp;550 5.4.310 DNS domain example.org does not exist [Message=InfoDomainNonexistent]\n"
            "Remote-MTA: dns;[192.0.2.7]\n"
        ),
        row(reply_code=550, enhanced_code="5.4.310", remote_host="192.0.2.7"),
    ),
    _case(
        "google workspace",
        report(
            "Reporting-MTA: dns; googlemail.example\nReceived-From-MTA: dns; news@example.com\n"
            "Arrival-Date: Tue, 03 Mar 2026 01:10:10 -0800 (PST)\nX-Original-Message-ID: <march-1@example.com>\n\n"
            "Final-Recipient: rfc822; ann@example.org\nAction: failed\nStatus: 5.1.1\n"
            "Remote-MTA: dns; mx.example.org. (2001:db8::1a, the server for the domain example.org.)\n"
            "Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try\n"
            " 550-5.1.1 double-checking the recipient's email address for typos or\n"
            " 550 5.1.1 unnecessary spaces. - gsmtp\nLast-Attempt-Date: Tue, 03 Mar 2026 01:10:11 -0800 (PST)\n",
            headers=("Subject: Delivery Status Notification (Failure)", "Auto-Submitted: auto-replied"),
        ),
        row(reply_code=550, enhanced_code="5.1.1", remote_host="mx.example.org", diagnostic="…typos or"),
    ),
    _case(
        "sendmail",
        report(
            "Reporting-MTA: dns; host.example.net\nArrival-Date: Tue, 3 Mar 2026 09:09:00 GMT\n\n"
            "Final-Recipient: RFC822; ann@example.org\nAction: failed\nStatus: 5.1.1\n"
            "Remote-MTA: DNS; mx.example.org\nDiagnostic-Code: SMTP; 550 5.1.1 <ann@example.org>... User unknown\n"
            "Last-Attempt-Date: Tue, 3 Mar 2026 09:10:10 GMT\n",
            original_kind="message/rfc822",
        ),
        row(reply_code=550, enhanced_code="5.1.1"),
    ),
    _case(
        "sendmail: an alias, of which the writer knows the first name alone",
        report(
            "Reporting-MTA: dns; host.example.net\n\nOriginal-Recipient: rfc822;ann@example.org\n"
            "Final-Recipient: X-local; |/usr/bin/filter\nAction: failed\nStatus: 5.3.0\nDiagnostic-Code: X-Unix; 127\n"
        ),
        row(reply_code=None, enhanced_code="5.3.0"),
    ),
    _case(
        "powermta",
        report(
            "Reporting-MTA: dns;pmta.example.net\nReceived-From-MTA: dns;app.example.com (192.0.2.10)\n"
            "Arrival-Date: Tue, 3 Mar 2026 10:10:00 +0100\n\n"
            "Original-Recipient: rfc822;ann@example.org\nFinal-Recipient: rfc822;ann@example.org\nAction: failed\n"
            "Status: 5.7.1 (delivery not authorized)\nRemote-MTA: dns;mx.example.org (192.0.2.7)\n"
            "Diagnostic-Code: smtp;554 5.7.1 Service unavailable; blocked\nX-PowerMTA-BounceCategory: spam-related\n"
        ),
        row(reply_code=554, enhanced_code="5.7.1", remote_host="mx.example.org"),
    ),
    _case(
        "a greeting before the reply",
        report(
            "Reporting-MTA: dns; mx.example.net\n\nFinal-Recipient: rfc822; ann@example.org\nAction: delayed\n"
            "Status: 4.2.1\nDiagnostic-Code: smtp; 220-mx.example.org 421 4.2.1 Too many connections\n"
        ),
        row(event="deferred", reply_code=421, enhanced_code="4.2.1"),
    ),
    _case(
        "no date but that of arrival, upper case, blanks before colons",
        report(
            "REPORTING-MTA: DNS; MX.EXAMPLE.NET\nARRIVAL-DATE: Tue, 3 Mar 2026 09:10:11 +0000\n\n"
            "FINAL-RECIPIENT : RFC822 ;   <ann@example.org>\nACTION : FAILED\nSTATUS : 5.1.1\n"
            "DIAGNOSTIC-CODE : SMTP ; 550 5.1.1 UNKNOWN\n"
        ).replace(f"Date: {DATE}\n", "", 1),
        row(reply_code=550, enhanced_code="5.1.1"),
    ),
    _case(
        "an address in UTF-8 (RFC 6533)",
        report(
            "Reporting-MTA: dns; mx.example.net\n\nFinal-Recipient: utf-8; rené@example.org\nAction: failed\nStatus: 5.1.1\n"
            "Diagnostic-Code: smtp; 550 5.1.1 boîte inconnue\n",
            kind="message/global-delivery-status",
            original_kind="message/global-headers",
        ),
        row("rené@example.org", reply_code=550, diagnostic="…boîte inconnue"),
    ),
    _case(
        "an address in UTF-8, written in ASCII (RFC 6533)",
        report(
            "Reporting-MTA: dns; mx.example.net\n\nFinal-Recipient: utf-8; ren\\x{E9}@example.org\nAction: failed\n"
            "Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 unknown\n"
        ),
        row("rené@example.org"),
    ),
    _case("base64", report(POSTFIX, coding="base64"), row(reply_code=550, enhanced_code="5.1.1")),
    _case("quoted-printable", report(POSTFIX, coding="quoted-printable"), row(reply_code=550)),
    _case("lines as on the wire", report(POSTFIX).replace("\n", "\r\n"), row(reply_code=550)),
    Case(
        "a note in Latin-1",
        report(POSTFIX.replace("User unknown", "Empfänger unbekannt"), note="Schöne Grüße").encode("latin-1"),
        [row(reply_code=550, diagnostic="…Empfänger unbekannt")],
    ),
    _case(
        "a report in a report in a mail",
        mail(
            "--out\nContent-Type: text/plain\n\nfyi\n--out\nContent-Type: multipart/mixed; boundary=in\n\n"
            f"--in\nContent-Type: message/rfc822\n\n{report(POSTFIX)}\n--in--\n--out--\n",
            "Subject: Fwd: Undelivered",
            "MIME-Version: 1.0",
            "Content-Type: multipart/mixed; boundary=out",
            sender="Boss <boss@example.com>",
        ),
        row(reply_code=550),
    ),
    _case(
        "no recipient",
        report(
            "Reporting-MTA: dns; mx.example.net\n\nFinal-Recipient: rfc822; <>\nAction: failed\nStatus: 5.0.0\n"
        ),
        rejected="names no recipient",
    ),
    _case(
        "an action that nobody knows",
        report(
            "Reporting-MTA: dns; mx.example.net\n\nFinal-Recipient: rfc822; ann@example.org\nAction: rejected\nStatus: 5.7.1\n"
        ),
        row(esp_event="rejected", enhanced_code="5.7.1"),
    ),
)

FEEDBACK = """Feedback-Type: abuse
User-Agent: Example-FBL/1.0
Version: 1
Original-Mail-From: <bounce@example.com>
Original-Rcpt-To: <ann@example.org>
Arrival-Date: Tue, 3 Mar 2026 09:00:00 +0000
Source-IP: 192.0.2.55
Reported-Domain: example.com
"""


def _complaint(feedback: str) -> str:
    return report(
        feedback,
        kind="message/feedback-report",
        report_type="feedback-report",
        original_kind="message/rfc822",
        headers=("Subject: FW: March",),
    )


COMPLAINTS = (
    _case(
        "a complaint",
        _complaint(FEEDBACK),
        row(event="complained", esp_event="abuse", message_id="march-1@example.com", sending_ip="192.0.2.55"),
    ),
    _case(
        "a complaint of two",
        _complaint(FEEDBACK + "Original-Rcpt-To: bob@example.org\n"),
        row(event="complained", suspect=True),
        row("bob@example.org", "complained", suspect=True),
    ),
    _case("no spam after all", _complaint(FEEDBACK.replace("abuse", "not-spam")), row(event="other")),
    _case("opted out", _complaint(FEEDBACK.replace("abuse", "opt-out")), row(event="unsubscribed")),
    _case(
        "a complaint without its recipient",
        _complaint(FEEDBACK.replace("Original-Rcpt-To: <ann@example.org>\n", "")),
        rejected="no address",
    ),
    *(
        _case(
            f"a complaint by {hidden}",
            _complaint(FEEDBACK.replace("ann@example.org", hidden)),
            rejected="no address",
        )
        for hidden in (
            "redacted",
            "redacted@example.org",
            "xxxxx@example.org",
            "a***@example.org",
            "[REDACTED]@example.org",
        )
    ),
    _case(
        "an authentication failure",
        _complaint(FEEDBACK.replace("abuse", "auth-failure") + "Auth-Failure: dmarc\n"),
        rejected="authentication",
    ),
)

QMAIL = """Hi. This is the qmail-send program at mx.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ann@example.org>:
192.0.2.7 does not like recipient.
Remote host said: 550 5.1.1 <ann@example.org>: User unknown
Giving up on 192.0.2.7.

<bob@example.org>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Return-Path: <news@example.com>
Received: (qmail 123 invoked from network); 3 Mar 2026 09:10:00 -0000
Message-ID: <march-1@example.com>
From: News <news@example.com>

<eve@example.org>:
550 no part of the report
"""

EXIM = """This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ann@example.org
    host mx.example.org [192.0.2.7]
    SMTP error from remote mail server after RCPT TO:<ann@example.org>:
    550 5.1.1 <ann@example.org>: Recipient address rejected
  bob@example.org
    Unrouteable address

  inner@example.org
    (generated from eve@example.org)
    mailbox is full: retry timeout exceeded

------ This is a copy of the message, including all the headers. ------

Return-path: <news@example.com>
Message-ID: <march-1@example.com>
Subject: March

  jim@example.org
    550 no part of the report
"""

EXIM_DELAY = """This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on relay.example.net.

The message identifier is:     1abcde-000123-4F
The subject of the message is: March

The address to which the message has not yet been delivered is:

  ann@example.org
    host mx.example.org [192.0.2.7]
    Delay reason: SMTP error from remote mail server after end of data:
    451 4.7.1 Greylisted, try again later

No action is required on your part. Delivery attempts will continue for
some time, and this warning may be repeated at intervals if the message
remains undelivered.
"""

YANDEX = """This is the mail system at host forward.example.net.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

For further assistance, please send mail to postmaster.

If you do so, please include this problem report. You can
delete your own text from the attached returned message.

                   The mail system

<ann@example.org>: host mx.example.org[192.0.2.7] said: 550 5.7.1 No such
    user! (in reply to RCPT TO command)

<bob@example.org>: Host or domain name not found. Name service error for
    name=example.org type=MX: Host not found
"""

MAIL_RU = """Это письмо создано автоматически сервером Mail.Ru, отвечать на него не нужно.

К сожалению, Ваше письмо не может быть доставлено одному или нескольким получателям.

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

ann@example.org
host mx.example.org [192.0.2.7]
SMTP error from remote mail server after RCPT TO:<ann@example.org>:
550 user not found
"""

SENDMAIL = """The original message was received at Tue, 3 Mar 2026 09:10:00 GMT
from app.example.com [192.0.2.10]

   ----- The following addresses had permanent fatal errors -----
<ann@example.org>
    (reason: 550 5.1.1 <ann@example.org>... User unknown)

   ----- Transcript of session follows -----
... while talking to mx.example.org.:
>>> DATA
<<< 550 5.1.1 <ann@example.org>... User unknown
550 5.1.1 <ann@example.org>... User unknown
<<< 503 5.0.0 Need RCPT (recipient)
"""

GMAIL = """Delivery to the following recipient failed permanently:

     ann@example.org

Technical details of permanent failure:
Google tried to deliver your message, but it was rejected by the server for the recipient domain example.org by mx.example.org. [192.0.2.7].

The error that the other server returned was:
550 5.1.1 <ann@example.org>: user unknown

----- Original message -----

Message-ID: <march-1@example.com>
"""

IN_WORDS = (
    _case(
        "qmail",
        mail(QMAIL, "Subject: failure notice"),
        row(reply_code=550, enhanced_code="5.1.1", message_id="march-1@example.com"),
        row("bob@example.org", enhanced_code="5.1.1", diagnostic="…no mailbox here by that name"),
    ),
    _case(
        "exim in words",
        mail(
            EXIM,
            "Subject: Mail delivery failed: returning message to sender",
            "X-Failed-Recipients: ann@example.org,\n bob@example.org",
        ),
        row(reply_code=550, enhanced_code="5.1.1", remote_host="mx.example.org"),
        row("bob@example.org", diagnostic="Unrouteable address"),
        row("eve@example.org", diagnostic="…mailbox is full"),
    ),
    _case(
        "exim in words: delayed",
        mail(EXIM_DELAY, "Subject: Warning: message 1abcde-000123-4F delayed 24 hours"),
        row(event="deferred", reply_code=451, enhanced_code="4.7.1"),
    ),
    _case(
        "postfix and its like in words",
        mail(YANDEX, "Subject: Undelivered Mail Returned to Sender"),
        row(reply_code=550, enhanced_code="5.7.1", remote_host="mx.example.org"),
        row("bob@example.org", diagnostic="…Host not found"),
    ),
    _case(
        "exim's words without its blanks",
        mail(MAIL_RU, "Subject: Mail failure.", 'Content-Type: text/plain; charset="utf-8"'),
        row(reply_code=550, diagnostic="…user not found"),
    ),
    _case(
        "sendmail in words",
        mail(SENDMAIL, "Subject: Returned mail: see transcript for details"),
        row(reply_code=550, enhanced_code="5.1.1"),
    ),
    _case(
        "gmail in words",
        mail(
            GMAIL, "Subject: Delivery Status Notification (Failure)", "X-Failed-Recipients: ann@example.org"
        ),
        row(reply_code=550, enhanced_code="5.1.1"),
    ),
    _case(
        "qmail without a reason",
        mail(QMAIL.split("192.0.2.7", maxsplit=1)[0], "Subject: failure notice"),
        rejected="a bounce of qmail",
    ),
    _case(
        "a bounce in words that nobody knows",
        mail("Your letter to Ann did not arrive.\n", "Subject: Undeliverable: March"),
        rejected="looks like a bounce",
    ),
)

NO_BOUNCES = (
    _case(
        "out of office",
        mail(
            "I am away until Monday.",
            "Subject: Automatic reply: March",
            "Auto-Submitted: auto-replied",
            sender="Ann <ann@example.org>",
        ),
        rejected="automatic reply",
    ),
    _case(
        "out of office, by its subject",
        mail(
            "Ich bin nicht da.",
            "Subject: Abwesenheitsnotiz: =?utf-8?q?M=C3=A4rz?=",
            sender="Ann <ann@example.org>",
        ),
        rejected="automatic reply",
    ),
    _case(
        "a newsletter",
        mail(
            "Buy now!",
            "Subject: Offers",
            "List-Unsubscribe: <https://example.com/u>",
            sender="Shop <shop@example.com>",
        ),
        rejected="newsletter",
    ),
    _case(
        "a receipt",
        report(
            "Reporting-UA: example\nFinal-Recipient: rfc822;ann@example.org\nDisposition: manual-action/MDN-sent-manually; displayed\n",
            kind="message/disposition-notification",
            report_type="disposition-notification",
            headers=("Subject: Read: March",),
        ),
        rejected="receipt",
    ),
    _case(
        "a mail of a person",
        mail("Thanks!\n\nFrom here on we are fine.\n", "Subject: Re: March", sender="Ann <ann@example.org>"),
        rejected="no delivery report",
    ),
)

CASES = (*DELIVERY_REPORTS, *COMPLAINTS, *IN_WORDS, *NO_BOUNCES)

"""What each ESP calls a failure. They do not agree, and that is part of the story."""

from __future__ import annotations

from typing import NamedTuple


class Label(NamedTuple):
    """The words of the three ESPs for one cause."""

    sendgrid_type: str
    sendgrid_class: str
    ses_type: str
    ses_subtype: str
    ses_delay: str
    mailgun_reason: str
    mailgun_type: str

    def suppresses(self, provider: str, *, expired: bool) -> str:
        """Return the suppression list on which the ESP puts the address, or an empty string."""
        hard = {
            "sendgrid": self.sendgrid_type == "bounce",
            "ses": self.ses_type == "Permanent",
            "mailgun": self.mailgun_type == "hard",
        }[provider]
        if expired or not hard:
            return ""
        return "invalid" if provider == "sendgrid" and self.mailgun_reason == "no mx" else "bounce"


def _read(table: str) -> dict[str, Label]:
    labels = {}
    for line in table.strip().splitlines():
        cause, *words = (cell.strip() for cell in line.split("|"))
        labels[cause] = Label(*words)
    return labels


LABELS = _read("""
unknown_user            | bounce  | Invalid Address               | Permanent | General         | General                      | bounce     | hard
late_unknown            | bounce  | Invalid Address               | Permanent | General         | General                      | generic    | hard
mailbox_disabled        | bounce  | Mailbox Unavailable           | Permanent | General         | General                      | bounce     | hard
moved                   | bounce  | Invalid Address               | Permanent | General         | General                      | bounce     | hard
domain_gone             | bounce  | Invalid Address               | Permanent | General         | RecipientServerError         | bounce     | hard
no_mx                   | bounce  | Invalid Address               | Transient | General         | General                      | no mx      | hard
null_mx                 | bounce  | Invalid Address               | Permanent | General         | General                      | bounce     | hard
system_full             | blocked | Technical                     | Transient | General         | RecipientServerError         | generic    | soft
system_full_listed      | bounce  | Technical                     | Permanent | General         | RecipientServerError         | bounce     | hard
system_full_transient   | blocked | Technical                     | Transient | General         | RecipientServerError         | generic    | soft
mailbox_full            | blocked | Mailbox Unavailable           | Transient | MailboxFull     | MailboxFull                  | bounce     | soft
mailbox_full_hard       | blocked | Mailbox Unavailable           | Transient | MailboxFull     | MailboxFull                  | bounce     | soft
greylisted              | blocked | Technical                     | Transient | General         | General                      | greylisted | soft
rate_limited            | blocked | Frequency or Volume Too High  | Transient | General         | IPFailure                    | espblock   | soft
rate_limited_microsoft  | blocked | Frequency or Volume Too High  | Transient | General         | IPFailure                    | espblock   | soft
rate_limited_as_unknown | blocked | Frequency or Volume Too High  | Transient | General         | IPFailure                    | bounce     | soft
full_as_unknown         | blocked | Mailbox Unavailable           | Transient | MailboxFull     | MailboxFull                  | bounce     | soft
unknown_as_policy       | blocked | Unclassified                  | Transient | General         | General                      | generic    | soft
blocked_as_unknown      | blocked | Reputation                    | Transient | General         | IPFailure                    | espblock   | soft
blocked_microsoft       | blocked | Reputation                    | Transient | General         | IPFailure                    | espblock   | soft
spamhaus                | blocked | Reputation                    | Transient | General         | IPFailure                    | blacklisted| soft
spam                    | blocked | Content                       | Transient | ContentRejected | SpamDetected                 | espblock   | soft
content                 | blocked | Content                       | Transient | ContentRejected | SpamDetected                 | generic    | soft
too_large               | blocked | Content                       | Transient | MessageTooLarge | General                      | generic    | soft
authentication          | blocked | Reputation                    | Transient | General         | General                      | espblock   | soft
reverse_dns             | blocked | Reputation                    | Transient | General         | IPFailure                    | espblock   | soft
tls                     | blocked | Technical                     | Transient | General         | TransientCommunicationFailure| generic    | soft
timeout                 | blocked | Technical                     | Transient | General         | TransientCommunicationFailure| generic    | soft
dns_failure             | blocked | Technical                     | Transient | General         | TransientCommunicationFailure| generic    | soft
system_error            | blocked | Technical                     | Transient | General         | RecipientServerError         | generic    | soft
recipient_refused       | blocked | Unclassified                  | Transient | General         | General                      | generic    | soft
""")

"""The frames of domains: what became of them, their mail servers, and what is likely a typing error."""

from __future__ import annotations

from bounceanalytics.schema.frames import REASONS
from bounceanalytics.schema.table import Column, Table

#: What may be said of a domain, and what that means for mail to it.
DOMAIN_STATES = {
    "healthy": "it takes mail, or all that could be asked says that it would",
    "full": "its mail system says that it is full (x.3.1)",
    "refusing": "its mail servers answer, and refuse everybody",
    "no_mail": "it says that it takes no mail, or has no mail server",
    "gone": "it does not exist, by two witnesses",
    "parked": "it is for sale, or shows advertising",
    "unreachable": "it has mail servers, and none of them can be reached",
    "unknown": "nothing certain could be found out",
}

#: What a state rests on.
BASES = ("history", "dns", "greeting", "rdap")

DOMAIN_COLUMNS = Table(
    "a frame of checked domains",
    Column("domain", "string", "lower-case, IDNA ASCII form"),
    Column("status", "category", "what became of it", tuple(DOMAIN_STATES)),
    Column("explanation", "string", "why, in a sentence"),
    Column("advice", "string", "what to do, in a sentence"),
    Column("basis", "category", "what the status rests on", BASES),
    Column(
        "last_accepted", "timestamp", "when it last took mail of ours, UTC; missing where that is not known"
    ),
    Column(
        "mx",
        "string",
        "its mail servers in the order in which they are tried, such as '10 mx1.example.com, 20 …'",
    ),
    Column("hosts", "Int64", "mail servers; missing where they could not be asked for"),
    Column("hosts_answering", "Int64", "of these, those that greeted; missing where none was connected to"),
    Column("implicit_mx", "boolean", "it has no MX record, and its own address stands in for it"),
    Column("null_mx", "boolean", "it says that it takes no mail (RFC 7505)"),
    Column("cname", "string", "what it is another name for"),
    Column("name_servers", "string", "its name servers, with commas"),
    Column("rcode", "string", "what the resolver said: NOERROR, NXDOMAIN, SERVFAIL, TIMEOUT …"),
    Column("dns_errors", "string", "extended DNS errors (RFC 8914)"),
    Column("ttl", "Int64", "seconds for which the answer holds"),
    Column("reply", "string", "what its first host that answered said on port 25"),
    Column(
        "registered_until",
        "timestamp",
        "when the registration ends, UTC; missing where that was not asked for",
    ),
    Column("registration", "string", "states of the registration, such as 'pending delete'"),
    Column(
        "registry_contact",
        "string",
        "whom the registry names for complaints; missing where that was not asked for",
    ),
    Column("checked_at", "timestamp", "when it was asked for, UTC"),
)

HOST_COLUMNS = Table(
    "a frame of checked mail servers",
    Column("domain", "string", "lower-case, IDNA ASCII form"),
    Column("host", "string", "name of the mail server"),
    Column("preference", "Int64", "lower is tried first"),
    Column("addresses", "string", "IP addresses, with commas"),
    Column("outcome", "string", "what became of the connection: greeted, refused, silent, unreachable …"),
    Column("reply_code", "Int64", "of its reply"),
    Column("enhanced_code", "string", "of its reply"),
    Column("reason", "string", "what its reply means, where it refused"),
    Column("text", "string", "its reply"),
    Column("starttls", "boolean", "it offers encryption"),
    Column("size_limit", "Int64", "largest message that it says it takes, bytes"),
    Column("seconds", "float64", "from connecting to the reply, seconds"),
)

TYPO_COLUMNS = Table(
    "a frame of domains that may be typing errors",
    Column("domain", "string", "lower-case, IDNA ASCII form"),
    Column("suggestion", "string", "the domain that is likely meant"),
    Column("addresses", "int64", "addresses at it in the list, or in the bounces if no list was given"),
    Column("suggested_addresses", "int64", "addresses there at the one that is likely meant"),
    Column("bounced", "int64", "addresses at it that bounced for good, in the list or not; none took mail"),
    Column("top_reason", "category", "reason of most of these", tuple(REASONS)),
    Column("change", "string", "what would have been mistyped: 'a and i changed places'"),
    Column(
        "explanation", "string", "in a sentence: gmial.com is likely gmail.com …: 14 addresses, 14 bounced"
    ),
)

LABEL_COLUMNS = Table(
    "a frame of labelled domains",
    Column("domain", "string", "lower-case, IDNA ASCII form"),
    Column("registrable_domain", "string", "the part of it that somebody registered"),
    Column("free_mail", "bool", "anybody can have a mailbox there: free, or with an internet access"),
    Column("disposable", "boolean", "its mailboxes are thrown away after use; missing without the extra"),
)

CONTACT_COLUMNS = Table(
    "a frame of whom to contact",
    Column("domain", "string", "whose mail system is full, or that is otherwise affected"),
    Column("addresses", "int64", "addresses of ours at it"),
    Column("status", "string", "what became of it, where it was checked"),
    Column("postmaster", "string", "address that every domain with mail must have (RFC 5321, 4.5.1)"),
    Column("abuse", "string", "address for complaints (RFC 2142)"),
    Column("registry_contact", "string", "contact that the registry names, where it was asked for"),
    Column("subject", "string", "of a message to send, without addresses"),
    Column("message", "string", "a short text to send, without addresses"),
)

OTHER_ADDRESS_COLUMNS = Table(
    "a frame of other addresses",
    Column("key", "string", "what tells one person in the mailing list"),
    Column("domain", "string", "whose mail system is full, or that is otherwise affected"),
    Column("address", "string", "address of the person at it"),
    Column("other_address", "string", "another address of the person, at a domain that is not affected"),
)

#: States in which a domain takes no mail.
TROUBLES = ("full", "refusing", "no_mail", "gone", "parked", "unreachable")

_DOMAIN = Column("domain", "string", "lower-case, IDNA ASCII form")
_STATUS = Column("status", "category", "what became of it", tuple(DOMAIN_STATES))

MONITOR_COLUMNS = Table(
    "a frame of watched domains",
    _DOMAIN,
    _STATUS,
    Column("since", "timestamp", "when that began, as far as is known, UTC"),
    Column("basis", "category", "what the status rests on; missing where it was not checked yet", BASES),
    Column("checked_at", "timestamp", "when it was last asked for, UTC; missing for never"),
    Column("due_on", "timestamp", "day on which to ask again, UTC; missing where it takes mail of ours"),
    Column("last_accepted", "timestamp", "when it last took mail of ours, UTC"),
    Column("first_full", "timestamp", "when it first called its mail system full, UTC"),
    Column("last_full", "timestamp", "when it last did, UTC"),
    Column("hosts", "int64", "different receiving servers that our mail met"),
    Column(
        "addresses", "int64", "addresses that it refused on the worst day, whatever it said of the domain"
    ),
    Column("explanation", "string", "why, in a sentence"),
    Column("advice", "string", "what to do, in a sentence"),
)

MONITOR_CHANGE_COLUMNS = Table(
    "a frame of changes of domains",
    _DOMAIN,
    Column("before", "category", "what it was; missing where it was not watched", tuple(DOMAIN_STATES)),
    Column("after", "category", "what it is; missing where it is not watched any more", tuple(DOMAIN_STATES)),
    Column("since", "timestamp", "when what it is began, UTC"),
    Column("known_at", "timestamp", "when that became known, UTC"),
    Column("explanation", "string", "why, in a sentence"),
)

MONITOR_RECOVERY_COLUMNS = Table(
    "a frame of recovered domains",
    _DOMAIN,
    Column("was", "category", "what it was last", TROUBLES),
    Column("began", "timestamp", "when it was first seen to take no mail, UTC"),
    Column("recovered", "timestamp", "when it was first seen to take mail again, UTC"),
    Column("days", "float64", "from one to the other"),
    Column("basis", "category", "what that rests on: a delivery (history), or a check", BASES),
    Column(
        "addresses", "int64", "addresses that it refused on the worst day, whatever it said of the domain"
    ),
    Column("explanation", "string", "why, in a sentence"),
)

MONITOR_HISTORY_COLUMNS = Table(
    "a frame of states of domains",
    _DOMAIN,
    _STATUS,
    Column("begin", "timestamp", "when it was first seen, UTC"),
    Column("until", "timestamp", "when another state was; missing where it lasts, UTC"),
    Column("last_seen", "timestamp", "when it was last confirmed, by mail or by a check, UTC"),
    Column("basis", "category", "what it rests on; missing where the domain was not checked", BASES),
    Column("explanation", "string", "why, in a sentence"),
)

MONITOR_HOST_COLUMNS = Table(
    "a frame of receiving servers",
    _DOMAIN,
    Column("remote_host", "string", "receiving host name or address; missing where the exports do not tell"),
    Column("first_full", "timestamp", "when it first called the mail system full, UTC"),
    Column("last_full", "timestamp", "when it last did, UTC"),
    Column("full_bounces", "int64", "times that it did, the most of any load for each day"),
    Column("full_addresses", "int64", "addresses that it told so on the worst day"),
    Column("last_accepted", "timestamp", "when it last took mail, UTC"),
    Column("last_refused", "timestamp", "when it last refused for good for another reason, UTC"),
)

MONITOR_CURVE_COLUMNS = Table(
    "a frame of curves of domains",
    Column("status", "category", "what the domains were first; 'all' for every trouble", ("all", *TROUBLES)),
    Column("episodes", "int64", "troubles of the group"),
    Column("day", "int64", "days since the trouble was first seen, rounded"),
    Column(
        "at_risk", "int64", "troubles that had not ended before, and were still seen on that day or later"
    ),
    Column("recovered", "int64", "troubles that ended up to and on that day"),
    Column("share", "float64", "estimated share ended by that day (0-1)", share=True),
    *(
        Column(
            name,
            "float64",
            "its 95% interval (log-log); missing where none, or every one, has ended",
            share=True,
        )
        for name in ("low", "high")
    ),
)

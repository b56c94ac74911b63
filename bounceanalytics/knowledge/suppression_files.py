"""Import formats of the ESPs: columns, kinds of suppressions and limits."""

from __future__ import annotations

from dataclasses import dataclass

NO_LIMIT = 10**15
_MAILGUN_BYTES = 25_000_000

#: Kinds of suppressions. Each ESP has lists of its own for its own reasons.
KINDS = ("bounced", "complained", "unsubscribed")

#: Columns by which our own loader knows these files from a mailing list; importers pass over them.
_WHY = (",", "why", ",", "day")
_WHY_TITLES = ",suppressed_for,suppressed_on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One file of an import format.

    Attributes
    ----------
    line : tuple of str
        Names of ``parts.PARTS``, and the text between them.
    takes : tuple of str
        Kinds of suppressions.
    header : str
        First line; empty for none.
    suffix : str
        What is added to the name of the file, before its extension.
    most_rows, most_bytes : int
        Limits of the importer; more goes into further files.
    body : tuple of str
        What stands before and after the addresses of one line; empty where each has a line of its own.
    body_rows : int
        Most addresses in one line.
    ascii_only : bool
        Whether addresses that are not ASCII have to be left out.
    """

    line: tuple[str, ...]
    takes: tuple[str, ...] = KINDS
    header: str = ""
    suffix: str = ""
    most_rows: int = NO_LIMIT
    most_bytes: int = NO_LIMIT
    body: tuple[str, ...] = ()
    body_rows: int = 1
    ascii_only: bool = True


# a line is the body of one request; to Postmark it is the same whether addresses go on its list or off it
_SENDGRID_BODY = Target(line=('"', "json", '"'), body=('{"emails":[', "]}"), body_rows=1_000)
_POSTMARK_BODY = Target(
    line=('{"EmailAddress":"', "json", '"}'), body=('{"Suppressions":[', "]}"), body_rows=50
)

#: Files that put addresses on a list.
ADD: dict[str, tuple[Target, ...]] = {
    # an unsubscribe group: the one way to give SendGrid addresses that are not to be mailed; more columns are ignored,
    # and quotes are taken for a part of the address
    "sendgrid": (Target(line=("address", *_WHY), header=f"email{_WHY_TITLES}"),),
    "ses": (Target(line=("address", ",", "list_word"), takes=KINDS[:2], most_rows=100_000),),
    "ses-json": (
        Target(
            line=('{"emailAddress":"', "json", '","reason":"', "list_word", '"}'),
            takes=KINDS[:2],
            most_rows=100_000,
        ),
    ),
    "mailgun": (
        Target(
            line=("csv", ",", "reply", ",", "error", ",", "date"),
            takes=("bounced",),
            header="address,code,error,created_at",
            most_bytes=_MAILGUN_BYTES,
        ),
        Target(
            line=("csv", ",", "date"),
            takes=("complained",),
            header="address,created_at",
            suffix="-complaints",
            most_bytes=_MAILGUN_BYTES,
        ),
        Target(
            line=("csv", ",*,", "date"),
            takes=("unsubscribed",),
            header="address,tags,created_at",
            suffix="-unsubscribes",
            most_bytes=_MAILGUN_BYTES,
        ),
    ),
    "postmark": (_POSTMARK_BODY,),
    # Klaviyo asks for a file without other columns
    "klaviyo": (Target(line=("csv",), header="Email"),),
    "hubspot": (Target(line=("csv", *_WHY), header=f"Email{_WHY_TITLES}"),),
    "mailchimp": (Target(line=("csv", *_WHY), header=f"Email Address{_WHY_TITLES}"),),
    "plain": (Target(line=("address",), ascii_only=False),),
    "hashed": (
        Target(
            line=("hash", *_WHY, ",", "salt"),
            header=f"sha256{_WHY_TITLES},salt_check",
            ascii_only=False,
        ),
    ),
}

#: Files that take addresses off a list again.
REMOVE: dict[str, tuple[Target, ...]] = {
    "sendgrid": (_SENDGRID_BODY,),
    "ses": (Target(line=("address",), most_rows=10_000),),
    "ses-json": (Target(line=('{"emailAddress":"', "json", '"}'), most_rows=10_000),),
    "postmark": (_POSTMARK_BODY,),
}

#: Names of the formats.
FORMATS = tuple(ADD)

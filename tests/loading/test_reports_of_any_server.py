"""Delivery reports, complaints and bounces in words of any mail server, alone and in mailboxes."""

from __future__ import annotations

import io
import json
import mailbox
import zipfile

import pandas as pd
import pytest

import bounceanalytics as ba
from bounceanalytics.errors import FormatError
from bounceanalytics.loading import RejectedRecordsWarning
from tests.loading.exports import ses_bounce
from tests.loading.server_mails import CASES, DATE, ORIGINAL, POSTFIX, mail, report, row

BY_NAME = {case.name: case for case in CASES}
FROM = b"From MAILER-DAEMON Tue Mar  3 09:10:11 2026\n"


def boxed(*mails: bytes | str) -> bytes:
    """Return a mailbox file, with lines quoted as RFC 4155's readers expect."""
    raw = [one.encode() if isinstance(one, str) else one for one in mails]
    return b"".join(FROM + one.replace(b"\nFrom ", b"\n>From ") + b"\n\n" for one in raw)


def check_rows(frame: pd.DataFrame, wanted: list[dict]) -> None:
    assert frame["recipient"].tolist() == [one["recipient"] for one in wanted]
    for (_, found), facts in zip(frame.iterrows(), wanted, strict=True):
        for name, value in facts.items():
            told = found[name]
            if value is None:
                assert pd.isna(told), (name, told)
            elif isinstance(value, str) and value.startswith("…"):
                assert value[1:] in told
            else:
                assert told == value, name


def accounted(loaded: ba.Load) -> bool:
    files = loaded.files
    return bool((files["records"] == files["loaded"] + files["ignored"] + files["rejected"]).all())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_mail(case):
    # beside a mail that is loaded, so that one which is not is no reason to refuse the file
    loaded = ba.load(boxed(case.mail, report(POSTFIX.replace("ann@", "last@")).replace("march-1", "march-2")))
    assert accounted(loaded)
    assert loaded.files["records"].sum() == 2
    check_rows(loaded.events.iloc[:-1], case.rows)
    assert loaded.events["timestamp"].eq(pd.Timestamp(DATE).tz_convert("UTC")).all()
    if case.rejected:
        (error,) = loaded.rejects["error"]
        assert case.rejected in error
        assert "@" not in error


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_mail_alone(case, tmp_path):
    file = tmp_path / "mail.eml"
    file.write_bytes(case.mail)
    if case.rejected:
        with pytest.raises(FormatError, match=rf"looks like mail that gives no event \(.*{case.rejected}"):
            ba.load(file)
    else:
        check_rows(ba.read(file), case.rows)


def everything() -> tuple[list[bytes], list[dict], int]:
    mails = [case.mail.replace(b"march-1", b"letter-%d" % place) for place, case in enumerate(CASES)]
    rows = [{"recipient": one["recipient"]} for case in CASES for one in case.rows]
    return mails, rows, sum(bool(case.rejected) for case in CASES)


def test_a_mailbox_of_everything():
    mails, rows, rejected = everything()
    loaded = ba.load(boxed(*mails))
    check_rows(loaded.events, rows)
    (file,) = loaded.files.itertuples()
    assert (file.records, file.rejected, file.ignored) == (len(mails), rejected, 0)
    assert accounted(loaded)


def test_mails_in_a_maildir_and_in_an_archive(tmp_path):
    mails, rows, rejected = everything()
    folder = mailbox.Maildir(tmp_path / "Maildir", create=True)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for place, one in enumerate(mails):
            folder.add(one)
            archive.writestr(f"bounces/{place:03d}.eml", one)
    for source in (tmp_path / "Maildir", packed.getvalue()):
        loaded = ba.load(source)
        assert sorted(loaded.events["recipient"]) == sorted(one["recipient"] for one in rows)
        assert (loaded.files["records"].sum(), loaded.files["rejected"].sum()) == (len(mails), rejected)
        assert accounted(loaded)


def sns_mail(recipient: str) -> str:
    return mail(
        json.dumps(ses_bounce(recipient)) + "\n\n--\nTo stop this, go elsewhere.\n",
        "Subject: AWS Notification Message",
        "x-amz-sns-message-id: 1-2-3",
        sender="AWS <no-reply@sns.amazonaws.com>",
    )


SENDGRID = report(
    "X-SendGrid-QueueID: 1\n\nFinal-Recipient: rfc822; sg@example.org\nAction: failed\nStatus: 5.1.1\n"
    "Diagnostic-Code: 550 5.1.1 gone\n",
    headers=("Return-Path: <apps@sendgrid.net>", "Subject: Undelivered"),
)
MIXED = (
    report(POSTFIX),
    BY_NAME["a newsletter"].mail,
    sns_mail("ses@example.org"),
    SENDGRID,
    BY_NAME["a complaint"].mail,
)


def test_each_mail_of_a_mailbox_has_its_own_provider():
    loaded = ba.load(boxed(*MIXED))
    assert dict(zip(loaded.events["recipient"], loaded.events["provider"], strict=False)) == {
        "ann@example.org": "generic",
        "ses@example.org": "ses",
        "sg@example.org": "sendgrid",
    }
    assert loaded.events["event"].tolist() == ["bounced", "bounced", "bounced", "complained"]
    (file,) = loaded.files.itertuples()
    assert (file.records, file.loaded, file.rejected) == (5, 4, 1)
    assert "Amazon SES" in file.note
    assert "SendGrid" in file.note
    with pytest.warns(RejectedRecordsWarning):
        assert ba.read_ses(boxed(*MIXED))["recipient"].tolist() == ["ses@example.org"]
    with pytest.warns(RejectedRecordsWarning):
        assert ba.read_sendgrid(boxed(*MIXED))["recipient"].tolist() == ["sg@example.org"]


def test_a_long_inbox_in_which_the_first_bounce_comes_late():
    letters = [BY_NAME["a mail of a person"].mail + b"x" * 4000] * 700
    loaded = ba.load(boxed(*letters, report(POSTFIX)))
    check_rows(loaded.events, [row()])
    assert loaded.files["rejected"].tolist() == [700]


TRAPS = {
    "quoted": (b"\n>From the start\n>>From Tue Mar  3 09:10:11 2026\n", 2),
    "a sentence": (b"\nFrom here on all is well.\n", 2),
    "a sentence with a colon below it": (b"x\nFrom here on:\nsubject: x\n", 2),
}


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_traps_of_mailbox_files(trap, end):
    body, count = TRAPS[trap]
    content = FROM + report(POSTFIX, original=ORIGINAL + "\n").encode()
    content = (
        content.replace(b"--=_cut--\n", body + b"--=_cut--\n")
        + b"\n"
        + FROM
        + report(POSTFIX.replace("ann", "bob")).encode()
    )
    loaded = ba.load(content.replace(b"\n", end))
    assert loaded.files["records"].tolist() == [count]
    assert loaded.events["recipient"].tolist() == ["ann@example.org", "bob@example.org"]
    # without the blank line before the next mail
    loaded = ba.load(content.replace(b"\n\n" + FROM, b"\n" + FROM).replace(b"\n", end))
    assert loaded.events["recipient"].tolist() == ["ann@example.org", "bob@example.org"]


def test_copies_of_a_report_count_once(tmp_path):
    one, other = report(POSTFIX), report(POSTFIX.replace("ann", "bob"))
    assert len(ba.read(boxed(one, one, other))) == 2
    bare = report(POSTFIX, original="", headers=("Subject: x", "Message-ID: <r1@mx.example.net>"))
    assert len(ba.read(boxed(bare, bare))) == 1
    assert len(ba.read(boxed(bare, bare.replace("<r1@", "<r2@")))) == 2

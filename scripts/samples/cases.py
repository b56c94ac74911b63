"""The cases planted in the story: who, how many, what happens to them, and what a careful sender should do.

A plan says what becomes of the weekly letter: ``"1-3 ok; 4-10 bounce:mailbox_full"``. Steps:

``ok``            delivered
``bounce:X``      refused with reply X of ``replies.tsv`` (or an ESP's own text, see the ESP modules)
``defer:X``       refused at first with X, delivered on a later attempt
``expire:X``      refused with X until the ESP gave up
``late:X``        delivered, then returned by a report of its own
``autoreply``     delivered, and an automatic answer came back
``complain``      delivered, then reported as spam
``unsubscribe``   delivered, then unsubscribed
``stop``          not written to this week
``move:X``        from now on written to through ESP X
``listed:X``      on the ESP's suppression list X (bounce, complaint, unsubscribe) before the story begins

Weeks without a step are ``ok``. Once an ESP has put an address on its suppression list, the rest of the plan is drops.
"""

from __future__ import annotations

from dataclasses import dataclass

SENDGRID, SES, MAILGUN = "sendgrid", "ses", "mailgun"
ALL = (SENDGRID, SES, MAILGUN)


@dataclass(frozen=True)
class Case:
    """One kind of planted address."""

    name: str
    people: int
    plans: tuple[str, ...]
    verdict: str
    reason: str
    why: str
    domains: tuple[str, ...] = ()
    providers: tuple[str, ...] = ALL
    weekly: bool = True
    reads: float = 0.5


CASES = (
    # 1. mail systems that are full
    Case("system_full_recovered", 30, ("3-5 bounce:system_full",), "keep", "system_full",
         "5.3.1 for three weeks while the host was full, delivered again since", ("northquay.example",), reads=0.8),
    Case("system_full_transient", 3, ("3 defer:system_full_transient; 4 expire:system_full_transient",), "keep", "system_full",
         "4.3.1 twice while the host was full, delivered again since", ("northquay.example",), reads=0.8),
    Case("system_full_suppressed", 3, ("3 bounce:system_full_listed",), "remove", "system_full",
         "5.3.1, and the ESP's own list has kept mail back ever since", ("northquay.example",)),
    Case("system_full_dead", 9, ("6-10 bounce:system_full_listed", "7-10 bounce:system_full_listed"), "remove", "system_full",
         "5.3.1 and no sign of life since", ("saltworks.example",)),
    # 2. and 3. domains that are gone, or never were
    Case("abandoned_domain", 16, ("4-5 bounce:unknown_user; 6-10 bounce:domain_gone",), "remove", "unknown_user",
         "the company closed: unknown user from week 4 on", ("brigg-and-sons.example",)),
    Case("abandoned_domain_unresolved", 8, ("5-10 bounce:domain_gone",), "remove", "bad_domain",
         "the company closed: its domain no longer resolves", ("brigg-and-sons.example",)),
    Case("typo_domain", 22, ("1-10 bounce:no_mx",), "remove", "bad_domain", "misspelt domain without a mail server",
         tuple("gmial.example gmai.example gmaill.example hotmial.example hotmai.example yahooo.example outlok.example "
               "iclould.example bigmial.example exmaple.example exampel.example".split()),
         (SENDGRID, MAILGUN), weekly=False),
    Case("null_mx", 4, ("1-10 bounce:null_mx",), "remove", "bad_domain", "the domain says that it takes no mail",
         ("no-mail-here.example",)),
    # 5. full mailboxes
    Case("full_mailbox_back", 12, ("2-4 bounce:mailbox_full", "5-7 bounce:mailbox_full_hard", "1-6 bounce:mailbox_full"),
         "keep", "mailbox_full", "full for weeks, then delivered again"),
    Case("full_mailbox_stays", 9, ("3-10 bounce:mailbox_full_hard", "5-10 bounce:mailbox_full", "1-10 bounce:mailbox_full"),
         "remove", "mailbox_full", "full on at least five days over at least three weeks, no sign of life since"),
    Case("full_mailbox_recent", 6, ("7-10 bounce:mailbox_full", "8-10 bounce:mailbox_full_hard"), "hold", "mailbox_full",
         "full on three or four days so far, no sign of life since"),
    Case("full_mailbox_once", 6, ("10 bounce:mailbox_full", "9-10 bounce:mailbox_full_hard"), "keep", "mailbox_full",
         "full once or twice, too little to act on"),
    # 6. greylisting
    Case("greylisted", 12, ("1-10 defer:greylisted",), "keep", "greylisted", "refused at first, delivered minutes later",
         ("brev.example", "fischhalle.example", "oakum-yard.example", "faro-libros.example")),
    # 7. codes and words that mislead
    Case("wrong_code_rate_limit", 6, ("2 bounce:rate_limited_as_unknown; 5 bounce:rate_limited_as_unknown",), "keep", "rate_limited",
         "says 5.1.1 and means an hourly limit; delivered in other weeks", ("hosted-desk.example",)),
    Case("wrong_code_full", 5, ("4-5 bounce:full_as_unknown",), "keep", "mailbox_full",
         "says 5.1.1 and means a full mailbox; delivered later", ("filet.example",)),
    Case("wrong_code_unknown", 6, ("3-10 bounce:unknown_as_policy",), "hold", "unknown_user",
         "says 5.7.1 and means no such user: code and text disagree", ("pismo.example",)),
    Case("wrong_code_blocked", 6, ("6 bounce:blocked_as_unknown",), "keep", "blocked",
         "says 5.1.0 and means that the sender is blocked; delivered later", ("cable.example",)),
    Case("wrong_type_invalid_domain", 8, ("1-10 bounce:no_mx",), "hold", "bad_domain",
         "5.4.4 invalid domain that the ESP calls transient: code and ESP disagree",
         ("yaho.example", "outloook.example", "postbxo.example", "hotmai.example"), (SES,)),
    # 8. dead mailboxes
    Case("dead_mailbox", 120, ("1-10 bounce:unknown_user",), "remove", "unknown_user", "no such mailbox", weekly=False),
    Case("left_the_company", 9, ("7-10 bounce:unknown_user", "9-10 bounce:unknown_user", "4-10 bounce:unknown_user"), "remove",
         "unknown_user", "read the letter for weeks, then the mailbox was gone",
         ("tidal-maps.example", "lantern-books.example", "canal-freight.example", "hafenkontor.example", "cantiere-levante.example",
          "stocznia-wschod.example"), reads=0.9),
    Case("mailbox_disabled", 24, ("1-10 bounce:mailbox_disabled", "6-10 bounce:mailbox_disabled"), "remove", "mailbox_disabled",
         "account disabled by its owner or its provider",
         ("bigmail.example", "yonder.example", "netzpost.example", "lettre.example", "poczta.example", "pochta.example", "correo.example",
          "chandlery-north.example", "example.org", "pilot-boats.example")),
    Case("moved", 6, ("2-10 bounce:moved", "5-10 bounce:moved"), "remove", "moved", "the reader has another address now",
         ("anchor-and-rope.example", "mail.example.net", "haven-advies.example")),
    Case("late_bounce", 6, ("6-10 late:late_unknown", "8-10 late:late_unknown"), "remove", "unknown_user",
         "accepted by a gateway, returned hours later by a report", ("lighthouse-hotels.example", "reederei-sued.example")),
    Case("refused_recipient", 3, ("8-10 bounce:recipient_refused",), "hold", "recipient_refused",
         "refused for being an internal mailbox: a person should look", ("estuary-trust.example",)),
    # 9. suppression lists, complaints, unsubscribes
    Case("listed_as_bounced", 16, ("listed:bounce",), "remove", "suppressed", "kept back every week: on the ESP's bounce list"),
    Case("listed_as_complaint", 4, ("listed:complaint",), "remove", "suppressed", "kept back every week: on the ESP's complaint list",
         providers=(SENDGRID, MAILGUN)),
    Case("listed_as_unsubscribed", 6, ("listed:unsubscribe",), "remove", "suppressed", "kept back every week: unsubscribed earlier",
         providers=(SENDGRID, MAILGUN)),
    Case("complaint", 14, ("2 complain", "4 complain", "5 complain", "7 complain", "9 complain"), "remove", "complaint",
         "reported the letter as spam", domains=("yonder.example", "netzpost.example", "cloudpost.example")),
    Case("unsubscribed", 36, ("1 unsubscribe", "3 unsubscribe", "4 unsubscribe", "6 unsubscribe", "8 unsubscribe", "10 unsubscribe"),
         "remove", "unsubscribe", "unsubscribed by the link in the letter", reads=0.6),
    # 10. the sender's own trouble, and the network's
    Case("spam_verdict", 12, ("6 bounce:spam", "3 bounce:spam; 6 bounce:spam"), "keep", "spam", "a letter taken for spam, others delivered",
         ("bigmail.example", "netzpost.example", "oakum-yard.example", "gull-and-crane.example")),
    Case("content_refused", 4, ("6 bounce:content",), "keep", "content_rejected", "a link in one letter was refused, others delivered",
         ("example.com", "wharf-theatre.example")),
    Case("too_large", 5, ("8 bounce:too_large",), "keep", "message_too_large", "the picture issue was too large, others delivered",
         ("saltmarsh-school.example", "varvet-syd.example", "example.org")),
    Case("ip_listed", 5, ("7 bounce:spamhaus",), "keep", "blocked", "our address stood on a block list for a week",
         ("seaglass-studio.example", "chantier-bleu.example")),
    Case("tls_trouble", 6, ("4 expire:tls; 5 bounce:tls",), "keep", "tls", "no agreement on encryption for two weeks",
         ("seekarten-verlag.example", "phare-ouest.example")),
    Case("temporary_error", 8, ("2 defer:system_error; 9 defer:system_error",), "keep", "system_error", "asked to come back, delivered later",
         ("astilleros-sol.example", "librairie-du-quai.example")),
    Case("timeout", 9, ("3 expire:timeout", "5-6 expire:timeout"), "keep", "expired", "no connection for a while, delivered later",
         ("flaky-link.example",)),
    Case("dns_trouble", 6, ("5 expire:dns_failure",), "keep", "expired", "name servers did not answer for a day, delivered later",
         ("flaky-link.example",)),
    Case("silent_server", 6, ("2-10 expire:timeout",), "remove", "expired", "no connection for nine weeks",
         ("silent-server.example",)),
    # 11. to 13. copies, answers, two voices
    Case("many_copies", 3, ("9 bounce:mailbox_full_hard",), "keep", "mailbox_full",
         "one bounce that the webhook reported eight times: still one", ("bigmail.example",), (SENDGRID, MAILGUN)),
    Case("out_of_office", 8, ("3 autoreply; 7 autoreply", "5 autoreply"), "keep", "challenge", "an automatic answer, mail was delivered",
         ("tidal-maps.example", "werft-nord.example", "phare-ouest.example"), (SES,), reads=0.7),
    Case("two_providers", 2, ("3 bounce:unknown_user; 4-5 stop; 6 move:mailgun",), "keep", "unknown_user",
         "one ESP says unknown user, another delivered weeks later", ("cartamare.example",), (SES,), reads=0.9),
    Case("not_on_list", 3, ("1 bounce:unknown_user",), "remove", "unknown_user", "bounced, and no longer on the mailing list",
         ("example.com",)),
    Case("faithful_reader", 6, ("",), "keep", "", "delivered and read every week", ("cloudpost.example", "example.org"), reads=1.0),
)


@dataclass(frozen=True)
class Episode:
    """A week in which one kind of trouble struck many readers at once; the letter is sent to them again a week later."""

    case: Case
    week: int
    step: str
    share: float


EPISODES = (
    Episode(Case("provider_block_week", 0, (), "keep", "blocked",
                 "a mailbox provider blocked the sender for a week, delivered again the week after", ("postbox.example",)),
            7, "bounce:blocked_microsoft", 0.92),
    Episode(Case("authentication_week", 0, (), "keep", "authentication",
                 "the sender's DNS was wrong for a week, delivered again the week after",
                 ("bigmail.example", "yonder.example", "lantern-books.example", "gull-and-crane.example", "hafenkontor.example")),
            6, "bounce:authentication", 0.22),
    Episode(Case("reverse_dns_week", 0, (), "keep", "reverse_dns",
                 "a new sending address had no reverse DNS, delivered again the week after",
                 ("netzpost.example", "example.com", "postvak.example")),
            6, "bounce:reverse_dns", 0.25),
    Episode(Case("rate_limited", 0, (), "keep", "rate_limited", "slowed down for an hour, delivered the same day",
                 ("yonder.example", "bigmail.example", "poczta.example")),
            2, "defer:rate_limited", 0.3),
    Episode(Case("rate_limited", 0, (), "keep", "rate_limited", "slowed down for an hour, delivered the same day", ("postbox.example",)),
            8, "defer:rate_limited_microsoft", 0.4),
)
